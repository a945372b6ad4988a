import ComputeCore

/// A tensor of a file on its way into another one, in portions of a few megabytes, or in one piece
/// if it is not stored in order.
struct StoredTensor {
  let source: any TensorSource
  let key: String
  /// Type it gets.
  let dtype: SafetensorsDType

  /// Elements of a portion.
  private static let portion = 1 << 20

  /// Reads, converts where the type changes, and hands over all bytes in order.
  ///
  /// - Throws: `CheckpointError.wrongType` for finite numbers that half precision cannot hold, or
  ///   what reading and `body` throw.
  func forEachPortion(
    _ body: (UnsafeRawBufferPointer) throws(CheckpointError) -> Void
  ) throws(CheckpointError) {
    guard let found = source.dtype(of: key) else { throw .noSuchKey(file: source.path, key: key) }
    let total = source.byteCount(of: key)
    let step =
      source.isInOrder(key) ? StoredTensor.portion * found.byteCount : max(1, total)
    for start in stride(from: 0, to: total, by: step) {
      let range = start..<min(total, start + step)
      if found == dtype {
        let bytes: [UInt8] = try filled(range.count) { target throws(CheckpointError) in
          try source.read(key, range, into: target)
        }
        try hand(bytes, body)
      } else {
        try convert(source.numbers(key, range), body)
      }
    }
  }

  private func convert(
    _ x: Tensor, _ body: (UnsafeRawBufferPointer) throws(CheckpointError) -> Void
  ) throws(CheckpointError) {
    switch dtype {
    case .f16:
      let bits = Tensor(uninitialized: x.shape, dtype: .bfloat16)
      HalfPrecision.narrow(x.pointer, into: bits.bfloat16Pointer, count: x.count)
      for i in 0..<x.count
      where bits.bfloat16Pointer[i] & 0x7FFF == 0x7C00 && x.pointer[i].isFinite {
        throw .wrongType(
          file: source.path, key: key, found: "\(x.pointer[i])",
          expected: "numbers up to 65504, which f16 can hold; convert to bf16 or f32")
      }
      try body(UnsafeRawBufferPointer(start: bits.bfloat16Pointer, count: 2 * x.count))
    case .bf16:
      let bits = x.cast(to: .bfloat16)
      try body(UnsafeRawBufferPointer(start: bits.bfloat16Pointer, count: 2 * x.count))
    default: try body(UnsafeRawBufferPointer(start: x.pointer, count: 4 * x.count))
    }
    withExtendedLifetime(x) {}
  }

  private func hand(
    _ bytes: [UInt8], _ body: (UnsafeRawBufferPointer) throws(CheckpointError) -> Void
  ) throws(CheckpointError) {
    var failure: CheckpointError?
    bytes.withUnsafeBytes { buffer in
      do throws(CheckpointError) { try body(buffer) } catch { failure = error }
    }
    if let failure { throw failure }
  }
}
