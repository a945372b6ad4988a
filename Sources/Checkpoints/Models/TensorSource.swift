import ComputeCore

/// Where named tensors can be read from: a safetensors file, a torch file, several files that belong
/// together, or a part of one of these.
public protocol TensorSource: Sendable {
  /// Where they come from, for messages.
  var path: String { get }
  /// Names of all tensors, sorted.
  var keys: [String] { get }
  /// Text that came with the tensors.
  var metadata: [String: String] { get }
  /// Shape of a tensor, or `nil` when there is none of that name.
  func shape(of key: String) -> Shape?
  /// Element type of a tensor, or `nil` when there is none of that name.
  func dtype(of key: String) -> SafetensorsDType?
  /// Whether a tensor's elements are stored in row-major order, so that reading it in portions
  /// costs no more than reading it whole; `true` unless a source says otherwise.
  func isInOrder(_ key: String) -> Bool
  /// Reads a part of a tensor's elements as they are stored: row-major, little-endian.
  ///
  /// - Parameters:
  ///   - key: name of the tensor.
  ///   - range: bytes, inside the tensor and made of whole elements.
  ///   - target: room for `range.count` bytes.
  /// - Throws: `CheckpointError.noSuchKey` or `.unreadable`.
  func read(
    _ key: String, _ range: Range<Int>, into target: UnsafeMutableRawPointer
  ) throws(CheckpointError)
}

extension TensorSource {
  /// Files of safetensors have no other order.
  public func isInOrder(_ key: String) -> Bool { true }

  /// Bytes that a tensor takes, 0 when there is none of that name.
  public func byteCount(of key: String) -> Int {
    guard let shape = shape(of: key), let dtype = dtype(of: key) else { return 0 }
    return shape.reduce(dtype.byteCount, *)
  }

  /// Reads a tensor of any of F64, F32, F16 and BF16 as 32-bit numbers.
  ///
  /// - Throws: `CheckpointError.noSuchKey`, `.wrongType` or `.unreadable`.
  public func tensor(_ key: String) throws(CheckpointError) -> Tensor {
    guard let shape = shape(of: key) else { throw .noSuchKey(file: path, key: key) }
    return try numbers(key, 0..<byteCount(of: key)).reshaped(shape)
  }

  /// Reads a range of a tensor's bytes as 32-bit numbers, `[count]`.
  func numbers(_ key: String, _ range: Range<Int>) throws(CheckpointError) -> Tensor {
    guard let dtype = dtype(of: key) else { throw .noSuchKey(file: path, key: key) }
    let count = range.count / dtype.byteCount
    switch dtype {
    case .f32:
      let y = Tensor(uninitialized: [count])
      try read(key, range, into: y.pointer)
      return y
    case .bf16:
      let bits = Tensor(uninitialized: [count], dtype: .bfloat16)
      try read(key, range, into: bits.bfloat16Pointer)
      return bits.cast(to: .float32)
    case .f16:
      let bits = Tensor(uninitialized: [count], dtype: .bfloat16)
      try read(key, range, into: bits.bfloat16Pointer)
      let y = Tensor(uninitialized: [count])
      HalfPrecision.widen(bits.bfloat16Pointer, into: y.pointer, count: count)
      return y
    case .f64:
      let numbers: [Double] = try filled(count) { target throws(CheckpointError) in
        try read(key, range, into: target)
      }
      return Tensor(numbers.map(Float.init), [count])
    default:
      throw .wrongType(
        file: path, key: key, found: dtype.rawValue,
        expected: "floating-point numbers (F64, F32, F16 or BF16)")
    }
  }

  /// Reads the stored bytes of a tensor, little-endian, whatever its type.
  public func bytes(_ key: String) throws(CheckpointError) -> [UInt8] {
    guard shape(of: key) != nil else { throw .noSuchKey(file: path, key: key) }
    return try elements(key)
  }

  /// All elements of a tensor that is known to be there and of this size of type.
  func elements<T: BitwiseCopyable & ExpressibleByIntegerLiteral>(
    _ key: String, of type: T.Type = T.self
  ) throws(CheckpointError) -> [T] {
    let count = byteCount(of: key)
    return try filled(count / MemoryLayout<T>.size) { target throws(CheckpointError) in
      try read(key, 0..<count, into: target)
    }
  }
}
