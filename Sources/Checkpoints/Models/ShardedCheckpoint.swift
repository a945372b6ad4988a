import ComputeCore

/// The tensors of a model that was saved in several files with an index.
///
/// The index is a `….safetensors.index.json`, or one of `.bin` files, whose `weight_map` gives the
/// file of every tensor.
public struct ShardedCheckpoint: TensorSource {
  /// The index.
  public let path: String
  /// Nothing: the files' own texts are about the files.
  public var metadata: [String: String] { [:] }
  private let files: [String: any TensorSource]

  /// Opens all files of an index; their tensors must be those that it lists.
  public init(index path: String) throws(CheckpointError) {
    self.path = path
    let names = try ConfigFile.stringMap("weight_map", in: path)
    let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? ""
    var opened: [String: any TensorSource] = [:]
    for name in Set(names.values).sorted() {
      guard !name.contains("/"), name.hasSuffix(".safetensors") || name.hasSuffix(".bin") else {
        throw .malformed(
          file: path, found: "file name \"\(name)\"",
          expected: "a .safetensors or .bin file beside it")
      }
      opened[name] = try CheckpointFile.open(folder + name)
    }
    for (name, file) in opened {
      if let stray = file.keys.first(where: { names[$0] != name }) {
        throw .malformed(
          file: path, found: "tensor \"\(stray)\" in \(name)", expected: "only listed tensors")
      }
    }
    files = names.compactMapValues { opened[$0] }
    if let lost = files.first(where: { $1.shape(of: $0) == nil }) {
      throw .noSuchKey(file: lost.value.path, key: lost.key)
    }
  }

  /// The tensors of several sources, which must all have different names.
  ///
  /// - Parameters:
  ///   - path: where they come from, for messages.
  ///   - parts: the sources.
  /// - Throws: `CheckpointError.malformed` for a name that occurs twice.
  package init(path: String, joining parts: [any TensorSource]) throws(CheckpointError) {
    self.path = path
    var files: [String: any TensorSource] = [:]
    for part in parts {
      for key in part.keys where files.updateValue(part, forKey: key) != nil {
        throw .malformed(file: path, found: "tensor \"\(key)\" twice", expected: "every one once")
      }
    }
    self.files = files
  }

  /// Names of all tensors, sorted.
  public var keys: [String] { files.keys.sorted() }

  /// Shape of a tensor, or `nil` when there is none of that name.
  public func shape(of key: String) -> Shape? { files[key]?.shape(of: key) }

  /// Element type of a tensor, or `nil` when there is none of that name.
  public func dtype(of key: String) -> SafetensorsDType? { files[key]?.dtype(of: key) }

  /// Whether a tensor is stored in order.
  public func isInOrder(_ key: String) -> Bool { files[key]?.isInOrder(key) ?? true }

  /// Reads a part of a tensor's bytes.
  public func read(
    _ key: String, _ range: Range<Int>, into target: UnsafeMutableRawPointer
  ) throws(CheckpointError) {
    guard let file = files[key] else { throw .noSuchKey(file: path, key: key) }
    try file.read(key, range, into: target)
  }
}
