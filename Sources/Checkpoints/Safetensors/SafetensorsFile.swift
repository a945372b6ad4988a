import ComputeCore
import Glibc

/// An open safetensors file: tensors are read when asked for, each straight into its own memory.
///
/// The header is checked in full on opening. Source: the format's description in
/// huggingface/safetensors, "Format".
public final class SafetensorsFile: Sendable {
  /// The path it was opened from.
  public let path: String
  /// Text that came with the tensors.
  public let metadata: [String: String]

  private let descriptor: Int32
  private let dataStart: Int
  private let entries: [String: SafetensorsHeader.Entry]
  private static let headerLimit = 100_000_000

  /// Opens a file and checks its header.
  ///
  /// - Throws: `CheckpointError.unreadable` or `.malformed`.
  public init(_ path: String) throws(CheckpointError) {
    let (descriptor, size) = try SafetensorsFile.open(path)
    do throws(HeaderError) {
      let (header, dataStart) = try SafetensorsFile.readHeader(descriptor, fileByteCount: size)
      self.path = path
      self.descriptor = descriptor
      self.dataStart = dataStart
      entries = header.entries
      metadata = header.metadata
    } catch {
      close(descriptor)
      throw .malformed(file: path, found: error.found, expected: error.expected)
    }
  }

  deinit {
    close(descriptor)
  }

  /// Names of all tensors, sorted.
  public var keys: [String] { entries.keys.sorted() }

  /// Shape of a tensor, or `nil` when there is none of that name.
  public func shape(of key: String) -> Shape? { entries[key]?.shape }

  /// Element type of a tensor, or `nil` when there is none of that name.
  public func dtype(of key: String) -> SafetensorsDType? { entries[key]?.dtype }

  /// Reads a tensor of any of F64, F32, F16 and BF16 as 32-bit numbers.
  ///
  /// - Throws: `CheckpointError.noSuchKey`, `.wrongType` or `.unreadable`.
  public func tensor(_ key: String) throws(CheckpointError) -> Tensor {
    let entry = try entry(key)
    switch entry.dtype {
    case .f32:
      let y = Tensor(uninitialized: entry.shape)
      try read(entry, into: y.pointer)
      return y
    case .bf16:
      let bits = Tensor(uninitialized: entry.shape, dtype: .bfloat16)
      try read(entry, into: bits.bfloat16Pointer)
      return bits.cast(to: .float32)
    case .f16:
      let bits = Tensor(uninitialized: entry.shape, dtype: .bfloat16)
      try read(entry, into: bits.bfloat16Pointer)
      let y = Tensor(uninitialized: entry.shape)
      HalfPrecision.widen(bits.bfloat16Pointer, into: y.pointer, count: y.count)
      return y
    case .f64:
      let numbers: [Double] = try elements(entry)
      return Tensor(numbers.map(Float.init), entry.shape)
    default:
      throw wrongType(key, entry, expected: "floating-point numbers (F64, F32, F16 or BF16)")
    }
  }

  /// Reads a tensor of integers, in row-major order.
  ///
  /// - Throws: `CheckpointError.wrongType` also when a number does not fit in 32 bits.
  public func int32s(_ key: String) throws(CheckpointError) -> [Int32] {
    let entry = try entry(key)
    switch entry.dtype {
    case .i32: return try elements(entry)
    case .i64: return try narrowed(elements(entry, of: Int64.self), key, entry)
    case .u64: return try narrowed(elements(entry, of: UInt64.self), key, entry)
    case .u32: return try narrowed(elements(entry, of: UInt32.self), key, entry)
    case .i16: return try narrowed(elements(entry, of: Int16.self), key, entry)
    case .u16: return try narrowed(elements(entry, of: UInt16.self), key, entry)
    case .i8: return try narrowed(elements(entry, of: Int8.self), key, entry)
    case .u8, .bool: return try narrowed(elements(entry, of: UInt8.self), key, entry)
    default: throw wrongType(key, entry, expected: "integers")
    }
  }

  /// Reads the stored bytes of a tensor, little-endian, whatever its type.
  public func bytes(_ key: String) throws(CheckpointError) -> [UInt8] {
    try elements(entry(key))
  }

  /// SHA-256, in hexadecimal, of the data section: everything behind the header.
  package func dataHash() throws(CheckpointError) -> String {
    var hash = SHA256()
    let inOrder = entries.sorted { $0.value.range.lowerBound < $1.value.range.lowerBound }
    for (_, entry) in inOrder { hash.update(try elements(entry, of: UInt8.self)) }
    return hash.hexDigest()
  }

  private func entry(_ key: String) throws(CheckpointError) -> SafetensorsHeader.Entry {
    guard let entry = entries[key] else { throw .noSuchKey(file: path, key: key) }
    return entry
  }

  private func wrongType(
    _ key: String, _ entry: SafetensorsHeader.Entry, expected: String
  ) -> CheckpointError {
    .wrongType(file: path, key: key, found: entry.dtype.rawValue, expected: expected)
  }

  private func narrowed<T: BinaryInteger>(
    _ numbers: [T], _ key: String, _ entry: SafetensorsHeader.Entry
  ) throws(CheckpointError) -> [Int32] {
    let narrow = numbers.compactMap { Int32(exactly: $0) }
    guard narrow.count == numbers.count else {
      throw wrongType(key, entry, expected: "integers that fit in 32 bits")
    }
    return narrow
  }

  private func elements<T: BitwiseCopyable & ExpressibleByIntegerLiteral>(
    _ entry: SafetensorsHeader.Entry, of type: T.Type = T.self
  ) throws(CheckpointError) -> [T] {
    var values = [T](repeating: 0, count: entry.range.count / MemoryLayout<T>.size)
    var failure: CheckpointError?
    values.withUnsafeMutableBytes { buffer in
      guard let base = buffer.baseAddress else { return }
      do throws(CheckpointError) { try read(entry, into: base) } catch { failure = error }
    }
    if let failure { throw failure }
    return values
  }

  private func read(
    _ entry: SafetensorsHeader.Entry, into target: UnsafeMutableRawPointer
  ) throws(CheckpointError) {
    let start = dataStart + entry.range.lowerBound
    guard SafetensorsFile.read(descriptor, at: start, entry.range.count, into: target) else {
      throw .unreadable(file: path, reason: "it ended early or the disk failed")
    }
  }

  private static func open(
    _ path: String
  ) throws(CheckpointError) -> (descriptor: Int32, byteCount: Int) {
    let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .unreadable(file: path, reason: systemError()) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      close(descriptor)
      throw .unreadable(file: path, reason: "not a file")
    }
    return (descriptor, Int(status.st_size))
  }

  private static func readHeader(
    _ descriptor: Int32, fileByteCount: Int
  ) throws(HeaderError) -> (SafetensorsHeader, dataStart: Int) {
    var length: UInt64 = 0
    guard fileByteCount >= 8, read(descriptor, at: 0, 8, into: &length) else {
      throw HeaderError(found: "\(fileByteCount) bytes", expected: "a safetensors header")
    }
    length = UInt64(littleEndian: length)
    guard length >= 2, length <= UInt64(min(headerLimit, fileByteCount - 8)) else {
      throw HeaderError(
        found: "a header of \(length) bytes in a file of \(fileByteCount)",
        expected: "2 to \(headerLimit) bytes inside the file")
    }
    var json = [UInt8](repeating: 0, count: Int(length))
    guard
      json.withUnsafeMutableBytes({ buffer in
        buffer.baseAddress.map { read(descriptor, at: 8, buffer.count, into: $0) } ?? false
      }), json.first == UInt8(ascii: "{")
    else {
      throw HeaderError(found: "another first byte", expected: "\"{\" at the start of the header")
    }
    let dataStart = 8 + json.count
    let header = try SafetensorsHeader(json: json, dataByteCount: fileByteCount - dataStart)
    return (header, dataStart)
  }

  /// Reads exactly `count` bytes at `offset`; `false` when that fails.
  private static func read(
    _ descriptor: Int32, at offset: Int, _ count: Int, into target: UnsafeMutableRawPointer
  ) -> Bool {
    var done = 0
    while done < count {
      let part = pread(descriptor, target + done, min(count - done, 1 << 30), offset + done)
      if part < 0 && errno == EINTR { continue }
      guard part > 0 else { return false }
      done += part
    }
    return true
  }
}

/// The system's words for the error of the last call.
func systemError() -> String { String(cString: strerror(errno)) }
