import ComputeCore

/// An open safetensors file: tensors are read when asked for, each straight into its own memory.
///
/// The header is checked in full on opening. Source: the format's description in
/// huggingface/safetensors, "Format".
public final class SafetensorsFile: TensorSource {
  /// The path it was opened from.
  public var path: String { file.path }
  /// Text that came with the tensors.
  public let metadata: [String: String]

  private let file: InputFile
  private let dataStart: Int
  private let entries: [String: SafetensorsHeader.Entry]
  private static let headerLimit = 100_000_000

  /// Opens a file and checks its header.
  ///
  /// - Throws: `CheckpointError.unreadable` or `.malformed`.
  public convenience init(_ path: String) throws(CheckpointError) {
    try self.init(InputFile(path))
  }

  init(_ file: InputFile) throws(CheckpointError) {
    let json = try SafetensorsFile.headerText(file)
    let dataStart = 8 + json.count
    do throws(HeaderError) {
      let header = try SafetensorsHeader(json: json, dataByteCount: file.byteCount - dataStart)
      (entries, metadata) = (header.entries, header.metadata)
    } catch {
      throw .malformed(file: file.path, found: error.found, expected: error.expected)
    }
    (self.file, self.dataStart) = (file, dataStart)
  }

  /// Names of all tensors, sorted.
  public var keys: [String] { entries.keys.sorted() }

  /// Shape of a tensor, or `nil` when there is none of that name.
  public func shape(of key: String) -> Shape? { entries[key]?.shape }

  /// Element type of a tensor, or `nil` when there is none of that name.
  public func dtype(of key: String) -> SafetensorsDType? { entries[key]?.dtype }

  /// Reads a part of a tensor's bytes.
  public func read(
    _ key: String, _ range: Range<Int>, into target: UnsafeMutableRawPointer
  ) throws(CheckpointError) {
    guard let entry = entries[key] else { throw .noSuchKey(file: path, key: key) }
    precondition(range.upperBound <= entry.range.count, "\(key): \(range) is outside of it")
    let start = dataStart + entry.range.lowerBound + range.lowerBound
    try file.read(at: start, range.count, into: target)
  }

  /// Reads a tensor of integers, in row-major order.
  ///
  /// - Throws: `CheckpointError.wrongType` also when a number does not fit in 32 bits.
  public func int32s(_ key: String) throws(CheckpointError) -> [Int32] {
    guard let entry = entries[key] else { throw .noSuchKey(file: path, key: key) }
    switch entry.dtype {
    case .i32: return try elements(key)
    case .i64: return try narrowed(elements(key, of: Int64.self), key)
    case .u64: return try narrowed(elements(key, of: UInt64.self), key)
    case .u32: return try narrowed(elements(key, of: UInt32.self), key)
    case .i16: return try narrowed(elements(key, of: Int16.self), key)
    case .u16: return try narrowed(elements(key, of: UInt16.self), key)
    case .i8: return try narrowed(elements(key, of: Int8.self), key)
    case .u8, .bool: return try narrowed(elements(key, of: UInt8.self), key)
    default:
      throw .wrongType(
        file: path, key: key, found: entry.dtype.rawValue, expected: "integers")
    }
  }

  /// SHA-256, in hexadecimal, of the data section: everything behind the header.
  package func dataHash() throws(CheckpointError) -> String {
    var hash = SHA256()
    let inOrder = entries.sorted { $0.value.range.lowerBound < $1.value.range.lowerBound }
    for (key, _) in inOrder { hash.update(try bytes(key)) }
    return hash.hexDigest()
  }

  private func narrowed<T: BinaryInteger>(
    _ numbers: [T], _ key: String
  ) throws(CheckpointError) -> [Int32] {
    let narrow = numbers.compactMap { Int32(exactly: $0) }
    guard narrow.count == numbers.count else {
      throw .wrongType(
        file: path, key: key, found: entries[key]?.dtype.rawValue ?? "",
        expected: "integers that fit in 32 bits")
    }
    return narrow
  }

  /// The header's JSON, which must lie inside the file.
  private static func headerText(_ file: InputFile) throws(CheckpointError) -> [UInt8] {
    guard file.byteCount >= 8 else {
      throw .malformed(
        file: file.path, found: "\(file.byteCount) bytes", expected: "a safetensors header")
    }
    let length = try file.bytes(at: 0, 8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    guard length >= 2, length <= UInt64(min(headerLimit, file.byteCount - 8)) else {
      throw .malformed(
        file: file.path, found: "a header of \(length) bytes in a file of \(file.byteCount)",
        expected: "2 to \(headerLimit) bytes inside the file")
    }
    let json = try file.bytes(at: 8, Int(length))
    guard json.first == UInt8(ascii: "{") else {
      throw .malformed(
        file: file.path, found: "another first byte",
        expected: "\"{\" at the start of the header")
    }
    return json
  }
}
