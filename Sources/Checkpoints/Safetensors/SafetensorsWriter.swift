import ComputeCore

/// One tensor on its way into a safetensors file.
public struct SafetensorsEntry {
  /// Name of the tensor.
  public let key: String
  /// Type it is stored as.
  public let dtype: SafetensorsDType
  /// Its shape.
  public let shape: Shape
  fileprivate let content: Content

  fileprivate enum Content {
    case tensor(() -> Tensor)
    case bytes([UInt8])
    case stored(any TensorSource, key: String)
  }

  /// Floating-point types that a tensor can be stored as.
  public enum Precision: String, Sendable, CaseIterable {
    /// As it is.
    case f32
    /// Half precision.
    case f16
    /// bfloat16.
    case bf16

    var dtype: SafetensorsDType {
      switch self {
      case .f32: .f32
      case .f16: .f16
      case .bf16: .bf16
      }
    }
  }

  /// A tensor, stored with the given precision.
  public init(_ key: String, _ tensor: Tensor, as precision: Precision = .f32) {
    self.init(key, shape: tensor.shape, as: precision) { tensor }
  }

  /// A tensor that is made when it is written, so that not all of them exist at once.
  package init(
    _ key: String, shape: Shape, as precision: Precision, make: @escaping () -> Tensor
  ) {
    self.key = key
    self.shape = shape
    dtype = precision.dtype
    content = .tensor(make)
  }

  /// 32-bit integers in row-major order.
  public init(_ key: String, int32s: [Int32], _ shape: Shape) {
    self.init(key, bytes: int32s.withUnsafeBytes(Array.init), shape, .i32)
  }

  /// 64-bit integers in row-major order.
  public init(_ key: String, int64s: [Int64], _ shape: Shape) {
    self.init(key, bytes: int64s.withUnsafeBytes(Array.init), shape, .i64)
  }

  /// A tensor of another file, read and converted in portions while it is written.
  ///
  /// - Parameters:
  ///   - key: its new name.
  ///   - name: its name in `source`, which has it.
  ///   - source: the other file.
  ///   - precision: `nil` leaves it as it is, bit for bit; so do types that are no floating point.
  package init(
    _ key: String, of name: String, in source: any TensorSource, as precision: Precision?
  ) {
    let found = source.dtype(of: name) ?? .f32
    self.key = key
    shape = source.shape(of: name) ?? []
    dtype = found.isFloatingPoint ? precision?.dtype ?? found : found
    content = .stored(source, key: name)
  }

  /// Stored bytes, little-endian; there must be as many as shape and type ask for.
  public init(_ key: String, bytes: [UInt8], _ shape: Shape, _ dtype: SafetensorsDType) {
    precondition(
      SafetensorsHeader.byteCount(shape, dtype) == bytes.count,
      "\(key): \(bytes.count) bytes do not fill \(dtype.rawValue) \(shape)")
    self.key = key
    self.shape = shape
    self.dtype = dtype
    content = .bytes(bytes)
  }
}

/// Writes safetensors files.
public enum SafetensorsWriter {
  /// Writes a file, replacing an old one of that name only once the new one is complete.
  ///
  /// Wide types come first and keys are sorted, so equal tensors give equal files and every tensor
  /// is aligned to its element size.
  ///
  /// - Parameters:
  ///   - entries: the tensors, all with different names.
  ///   - metadata: text that goes with them.
  ///   - path: of the file.
  ///   - progress: gets the bytes written so far and those of the whole data.
  /// - Throws: `CheckpointError.unwritable`, or what reading the tensors of another file throws.
  public static func write(
    _ entries: [SafetensorsEntry], metadata: [String: String] = [:], to path: String,
    progress: (_ done: Int, _ total: Int) -> Void = { _, _ in }
  ) throws(CheckpointError) {
    let ordered = inFileOrder(entries)
    let total = ordered.reduce(0) { $0 + $1.shape.reduce($1.dtype.byteCount, *) }
    var done = 0
    var file = try AtomicFile(replacing: path)
    try file.write(header(ordered, metadata: metadata))
    for entry in ordered {
      if case .stored(let source, let key) = entry.content {
        try StoredTensor(source: source, key: key, dtype: entry.dtype).forEachPortion {
          bytes throws(CheckpointError) in
          try file.write(bytes)
          done += bytes.count
          progress(done, total)
        }
        continue
      }
      try stored(entry).withBytes { bytes throws(CheckpointError) in try file.write(bytes) }
      done += entry.shape.reduce(entry.dtype.byteCount, *)
      progress(done, total)
    }
    try file.commit()
  }

  /// SHA-256, in hexadecimal, of the data section of the file that `entries` would make.
  package static func dataHash(of entries: [SafetensorsEntry]) -> String {
    var hash = SHA256()
    for entry in inFileOrder(entries) { stored(entry).withBytes { hash.update($0) } }
    return hash.hexDigest()
  }

  private static func inFileOrder(_ entries: [SafetensorsEntry]) -> [SafetensorsEntry] {
    entries.sorted { ($1.dtype.byteCount, $0.key) < ($0.dtype.byteCount, $1.key) }
  }

  private static func header(
    _ entries: [SafetensorsEntry], metadata: [String: String]
  ) -> [UInt8] {
    var members: [String] = []
    if !metadata.isEmpty {
      let pairs = metadata.sorted { $0.key < $1.key }.map {
        "\(quoted($0.key)):\(quoted($0.value))"
      }
      members.append("\"__metadata__\":{\(pairs.joined(separator: ","))}")
    }
    var end = 0
    var keys: Set = ["__metadata__"]
    for entry in entries {
      precondition(
        keys.insert(entry.key).inserted,
        "safetensors: key \"\(entry.key)\" cannot be used or occurs twice")
      let start = end
      end += entry.shape.reduce(entry.dtype.byteCount, *)
      let shape = entry.shape.map(String.init).joined(separator: ",")
      members.append(
        "\(quoted(entry.key)):{\"dtype\":\"\(entry.dtype.rawValue)\",\"shape\":[\(shape)],"
          + "\"data_offsets\":[\(start),\(end)]}")
    }
    var json = Array("{\(members.joined(separator: ","))}".utf8)
    json += [UInt8](repeating: 0x20, count: (8 - json.count % 8) % 8)
    return withUnsafeBytes(of: UInt64(json.count).littleEndian, Array.init) + json
  }

  /// Makes what the file holds for an entry.
  private static func stored(_ entry: SafetensorsEntry) -> StoredContent {
    switch entry.content {
    case .bytes(let bytes): return .bytes(bytes)
    case .stored: preconditionFailure("\(entry.key): is written in portions")
    case .tensor(let make):
      let tensor = make()
      precondition(
        tensor.shape == entry.shape, "\(entry.key): shape \(tensor.shape) is not \(entry.shape)")
      let x = tensor.cast(to: .float32)
      switch entry.dtype {
      case .f16:
        let bits = Tensor(uninitialized: x.shape, dtype: .bfloat16)
        HalfPrecision.narrow(x.pointer, into: bits.bfloat16Pointer, count: x.count)
        return .tensor(bits)
      case .bf16: return .tensor(x.cast(to: .bfloat16))
      default: return .tensor(x)
      }
    }
  }

  /// A JSON string (RFC 8259).
  private static func quoted(_ text: String) -> String {
    var json = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": json += "\\\""
      case "\\": json += "\\\\"
      case _ where scalar.value < 0x20:
        let digits = String(scalar.value, radix: 16)
        json += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: json.unicodeScalars.append(scalar)
      }
    }
    return json + "\""
  }
}

/// Bytes ready to be written; a 16-bit tensor holds bits of either 16-bit type.
private enum StoredContent {
  case bytes([UInt8])
  case tensor(Tensor)

  func withBytes<E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> Void) throws(E) {
    switch self {
    case .bytes(let bytes):
      var result = Result<Void, E>.success(())
      bytes.withUnsafeBytes { buffer in
        do throws(E) { try body(buffer) } catch { result = .failure(error) }
      }
      try result.get()
    case .tensor(let tensor):
      let start: UnsafeRawPointer =
        tensor.dtype == .float32
        ? UnsafeRawPointer(tensor.pointer) : UnsafeRawPointer(tensor.bfloat16Pointer)
      try body(UnsafeRawBufferPointer(start: start, count: tensor.count * tensor.dtype.byteCount))
      withExtendedLifetime(tensor) {}
    }
  }
}
