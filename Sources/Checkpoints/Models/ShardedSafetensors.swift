import ComputeCore

/// The tensors of a model that was saved in several safetensors files with an index.
///
/// The index is a `….safetensors.index.json` whose `weight_map` gives the file of every tensor.
public struct ShardedSafetensors: TensorSource {
  /// The index.
  public let path: String
  private let files: [String: SafetensorsFile]

  /// Opens all files of an index; their tensors must be those that it lists.
  public init(index path: String) throws(CheckpointError) {
    self.path = path
    let names = try ConfigFile.stringMap("weight_map", in: path)
    let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? ""
    var opened: [String: SafetensorsFile] = [:]
    for name in Set(names.values).sorted() {
      guard !name.contains("/"), name.hasSuffix(".safetensors") else {
        throw .malformed(
          file: path, found: "file name \"\(name)\"", expected: "a .safetensors file beside it")
      }
      opened[name] = try SafetensorsFile(folder + name)
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

  /// Names of all tensors, sorted.
  public var keys: [String] { files.keys.sorted() }

  /// Shape of a tensor, or `nil` when there is none of that name.
  public func shape(of key: String) -> Shape? { files[key]?.shape(of: key) }

  /// Element type of a tensor, or `nil` when there is none of that name.
  public func dtype(of key: String) -> SafetensorsDType? { files[key]?.dtype(of: key) }

  /// Reads a tensor of any floating-point type as 32-bit numbers.
  public func tensor(_ key: String) throws(CheckpointError) -> Tensor {
    guard let file = files[key] else { throw .noSuchKey(file: path, key: key) }
    return try file.tensor(key)
  }
}
