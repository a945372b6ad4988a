import CKernels

/// Products of 32-bit numbers from three products of bfloat16 ones.
///
/// A number is the sum of a rounded one and of the rounded rest, with 16 bits of mantissa together.
/// `(a + α)(b + β)` is taken as `ab + aβ + αb`, three pieces of one longer sum: relative errors are
/// about 4e-6. A prototype with AMX made 0.9 TFLOP/s so, where 32-bit products end at 0.5.
enum SplitFactors {
  /// Whether the product of a layer with this weight is computed so.
  static func areUsed(for weight: Tensor) -> Bool {
    Compute.current.precision == .high && ck_gemm_has_tiles() != 0 && !weight.isRecorded
  }

  /// `x` `[count, k]` as rows of both parts, which the sum runs over as `a`, `a` and `α`.
  static func rows(of x: Tensor, count: Int, k: Int) -> (storage: Storage, rows: FactorRows) {
    let length = FactorType.bfloat16.padded(k)
    let storage = Storage(byteCount: count * 2 * length * FactorType.bfloat16.byteCount)
    let numbers = storage.pointer.assumingMemoryBound(to: UInt16.self)
    parallelRows(count, width: k) { rows in
      for row in rows {
        let high = numbers + row * 2 * length
        ck_split_bf16(high, high + length, x.pointer + row * k, k)
        if length > k { (high[k], high[length + k]) = (0, 0) }
      }
    }
    let rows = FactorRows(
      pointer: UnsafeRawPointer(storage.pointer), type: .bfloat16, rowStride: 2 * length,
      rowsPerLine: count, segments: [0, 0, length], segmentLength: length)
    return (storage, rows)
  }

  /// `weight` `[outputs, inputs]` with rows `b`, `β` and `b`.
  static func packed(_ weight: Tensor) -> PackedFactor {
    let (outputs, inputs) = (weight.shape[0], weight.shape[1])
    let length = FactorType.bfloat16.padded(inputs)
    return weight.packed(.splitForward, .bfloat16) { lasts in
      let high = weight.forPacking
      let low = high - high.cast(to: .bfloat16).cast(to: .float32)
      return withExtendedLifetime((high, low)) {
        PackedFactor(
          k: 3 * length, columns: outputs, type: .bfloat16, lasts: lasts,
          pieces: [high, low, high].enumerated().map { index, part in
            FactorPiece(
              pointer: UnsafePointer(part.pointer), kOffset: index * length, k: inputs, kStride: 1,
              nStride: inputs)
          })
      }
    }
  }
}
