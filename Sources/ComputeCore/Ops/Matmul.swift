import CKernels

/// Matrix product of the last two axes, with equal leading axes.
///
/// - Parameters:
///   - a: `[…, M, K]`.
///   - b: `[…, K, N]`.
/// - Returns: `[…, M, N]`.
public func matmul(_ a: Tensor, _ b: Tensor) -> Tensor {
  let span = profiled()
  defer { span?.end() }
  precondition(
    a.rank >= 2 && a.rank == b.rank && a.shape.dropLast(2) == b.shape.dropLast(2)
      && a.shape[a.rank - 1] == b.shape[b.rank - 2],
    "matmul: \(a.shape) and \(b.shape) do not fit")
  let y = batchedProduct(a, b, transposingA: false, transposingB: false)
  return y.recorded(
    from: [a, b],
    recordedVJP: { dy, wanted in
      [wanted[0] ? matmul(dy, flipped(b)) : nil, wanted[1] ? matmul(flipped(a), dy) : nil]
    },
    vjp: { dy in
      [
        a.isRecorded ? batchedProduct(dy, b, transposingA: false, transposingB: true) : nil,
        b.isRecorded ? batchedProduct(a, dy, transposingA: true, transposingB: false) : nil,
      ]
    }
  )
}

/// `x` with its last two axes exchanged.
private func flipped(_ x: Tensor) -> Tensor {
  x.transposed(Array(0..<x.rank - 2) + [x.rank - 1, x.rank - 2])
}

/// `op(a) · op(b)` for each matrix of a batch, one work item each, in 32-bit precision.
private func batchedProduct(_ a: Tensor, _ b: Tensor, transposingA: Bool, transposingB: Bool)
  -> Tensor
{
  let (aRows, aColumns) = (a.shape[a.rank - 2], a.shape[a.rank - 1])
  let (bRows, bColumns) = (b.shape[b.rank - 2], b.shape[b.rank - 1])
  let (m, k) = transposingA ? (aColumns, aRows) : (aRows, aColumns)
  let n = transposingB ? bRows : bColumns
  let batch = a.shape.dropLast(2).reduce(1, *)
  let y = Tensor(uninitialized: a.shape.dropLast(2) + [m, n])
  ThreadPool.shared.run(items: batch) { item in
    let left = a.pointer + item * m * k
    let copy = Storage(byteCount: transposingA ? m * k * 4 : 0)
    let transposed = copy.pointer.assumingMemoryBound(to: Float.self)
    if transposingA { ck_transpose_f32(transposed, k, left, m, k, m) }
    let right = Storage(
      byteCount: PackedFactor.byteCount(k: k, columns: n, type: .float32))
    PackedFactor.pack(
      FactorPiece(
        pointer: b.pointer + item * k * n, kOffset: 0, k: k, kStride: transposingB ? 1 : n,
        nStride: transposingB ? k : 1),
      into: right.pointer, k: k, columns: n, type: .float32, panels: 0..<panelCount(n))
    product(
      FactorRows(
        pointer: UnsafeRawPointer(transposingA ? transposed : left), type: .float32,
        rowStride: k, rowsPerLine: m, segmentLength: k),
      right.pointer, columns: n,
      into: ProductTarget(pointer: y.pointer + item * m * n, stride: n))
    withExtendedLifetime((copy, right)) {}
  }
  return y
}
