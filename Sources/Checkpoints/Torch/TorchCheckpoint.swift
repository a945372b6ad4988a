import ComputeCore
import Glibc

/// An open file of `torch.save`: `.ckpt`, `.pt`, `.pth` or `.bin`, a zip archive with a pickle that
/// names the tensors.
///
/// The pickle is interpreted by `PickleMachine`, which runs nothing. Of a dictionary with an entry
/// `state_dict` that entry's tensors count, else those of the dictionary itself. Tensors are read
/// when asked for.
public final class TorchCheckpoint: TensorSource {
  /// The path it was opened from.
  public var path: String { file.path }
  /// `global_step`, when a trainer left one.
  public let metadata: [String: String]

  private struct Entry {
    let tensor: PickledTensor
    /// Where its storage begins in the file.
    let start: Int
  }

  private let file: InputFile
  private let entries: [String: Entry]
  private static let pickleLimit = 16 << 20

  /// Opens a file and reads its pickle.
  ///
  /// - Throws: `CheckpointError.unreadable`, or `.malformed` naming what is refused.
  public convenience init(_ path: String) throws(CheckpointError) {
    try self.init(InputFile(path))
  }

  init(_ file: InputFile) throws(CheckpointError) {
    let members = try ZipArchive(file).members
    let root = try TorchCheckpoint.root(of: members, file)
    try TorchCheckpoint.checkByteOrder(members, root, file)
    let pickle = members[root + "data.pkl"] ?? 0..<0
    guard pickle.count <= TorchCheckpoint.pickleLimit else {
      throw ZipArchive.broken(
        file, "a pickle of \(pickle.count) bytes", "at most \(TorchCheckpoint.pickleLimit)")
    }
    var machine = PickleMachine(try file.bytes(at: pickle.lowerBound, pickle.count))
    let state: (tensors: [String: PickledTensor], step: Int?)
    do throws(PickleError) {
      state = try machine.state()
    } catch {
      throw .malformed(file: file.path, found: error.found, expected: error.expected)
    }
    var entries: [String: Entry] = [:]
    for (key, tensor) in state.tensors {
      let storage = tensor.storage
      let (size, isLarge) = storage.count.multipliedReportingOverflow(by: storage.dtype.byteCount)
      guard !isLarge, let place = members["\(root)data/\(storage.key)"], place.count >= size else {
        throw ZipArchive.broken(
          file, "tensor \"\(key)\" without all of its data", "member data/\(storage.key)")
      }
      entries[key] = Entry(tensor: tensor, start: place.lowerBound)
    }
    (self.file, self.entries) = (file, entries)
    metadata = state.step.map { ["global_step": "\($0)"] } ?? [:]
  }

  /// The folder that everything in the archive lies in.
  private static func root(
    of members: [String: Range<Int>], _ file: InputFile
  ) throws(CheckpointError) -> String {
    let roots = members.keys.filter { name in
      name.hasSuffix("/data.pkl") && name.split(separator: "/").count == 2
    }
    guard roots.count == 1, let root = roots.first else {
      throw ZipArchive.broken(
        file, "a zip archive with \(roots.count) members <name>/data.pkl",
        "one, as torch.save makes")
    }
    return String(root.dropLast("data.pkl".count))
  }

  private static func checkByteOrder(
    _ members: [String: Range<Int>], _ root: String, _ file: InputFile
  ) throws(CheckpointError) {
    guard let place = members[root + "byteorder"] else { return }
    let order = try file.bytes(at: place.lowerBound, min(16, place.count))
    guard order == Array("little".utf8) else {
      throw ZipArchive.broken(
        file, "numbers in byte order \"\(String(decoding: order, as: UTF8.self))\"",
        "\"little\"; save the file again on a machine of that order")
    }
  }

  /// Names of all tensors, sorted.
  public var keys: [String] { entries.keys.sorted() }

  /// Shape of a tensor, or `nil` when there is none of that name.
  public func shape(of key: String) -> Shape? { entries[key]?.tensor.shape }

  /// Element type of a tensor, or `nil` when there is none of that name.
  public func dtype(of key: String) -> SafetensorsDType? { entries[key]?.tensor.storage.dtype }

  /// Whether a tensor is no transposed or strided view; each part of these needs all of its window.
  public func isInOrder(_ key: String) -> Bool { entries[key]?.tensor.isContiguous ?? true }

  /// Reads a part of a tensor's elements in row-major order, whatever their order in the file.
  public func read(
    _ key: String, _ range: Range<Int>, into target: UnsafeMutableRawPointer
  ) throws(CheckpointError) {
    guard let entry = entries[key] else { throw .noSuchKey(file: path, key: key) }
    let tensor = entry.tensor
    let size = tensor.storage.dtype.byteCount
    let start = entry.start + tensor.offset * size
    if tensor.isContiguous {
      return try file.read(at: start + range.lowerBound, range.count, into: target)
    }
    guard !range.isEmpty else { return }
    let reach = zip(tensor.shape, tensor.strides).reduce(1) { $0 + ($1.0 - 1) * $1.1 }
    try file.bytes(at: start, reach * size).withUnsafeBytes { window in
      for (index, element) in (range.lowerBound / size..<range.upperBound / size).enumerated() {
        guard let first = window.baseAddress else { return }
        memcpy(target + index * size, first + tensor.place(of: element) * size, size)
      }
    }
  }
}

extension PickledTensor {
  /// How far element `index`, in row-major order, is behind the first in the storage.
  fileprivate func place(of index: Int) -> Int {
    var (rest, place) = (index, 0)
    for (length, stride) in zip(shape, strides).reversed() {
      place += rest % length * stride
      rest /= length
    }
    return place
  }
}

extension PickleMachine {
  /// Runs to the end and takes the tensors by their names.
  mutating func state() throws(PickleError) -> (tensors: [String: PickledTensor], step: Int?) {
    guard case .dictionary(let top) = try run() else {
      throw PickleError(found: "a pickle of something else", expected: "a dictionary of tensors")
    }
    var (weights, step) = (top, Int?.none)
    for pair in dictionaries[top] {
      switch (pair.key, pair.value) {
      case (.text("state_dict"), .dictionary(let index)): weights = index
      case (.text("global_step"), .integer(let number)): step = number
      default: break
      }
    }
    var tensors: [String: PickledTensor] = [:]
    for pair in dictionaries[weights] {
      guard case .text(let key) = pair.key, case .tensor(let index) = pair.value else { continue }
      guard tensors.updateValue(self.tensors[index], forKey: key) == nil else {
        throw PickleError(found: "tensor \"\(key)\" twice", expected: "every tensor once")
      }
    }
    guard !tensors.isEmpty else {
      throw PickleError(found: "a dictionary without tensors", expected: "a dictionary of tensors")
    }
    return (tensors, step)
  }
}
