import CKernels

extension Tensor {
  /// The axes in another order; copies.
  ///
  /// - Parameter permutation: for each axis of the result, the axis of this tensor it comes from.
  /// - Returns: axis `i` of the result is axis `permutation[i]` of this tensor.
  public func transposed(_ permutation: [Int]) -> Tensor {
    precondition(
      permutation.sorted() == Array(shape.indices),
      "transposed: \(permutation) does not order the axes of shape \(shape)")
    if permutation == Array(shape.indices) { return self }
    let span = profiled()
    defer { span?.end() }
    let y = permuted(self, permutation)
    var inverse = permutation
    for (position, axis) in permutation.enumerated() { inverse[axis] = position }
    let back = inverse
    return y.recorded(from: [self]) { dy, _ in [dy.transposed(back)] }
  }

  /// New axes of size 1, placed so that they have these positions in the result.
  ///
  /// Negative positions count from the back of the result.
  public func unsqueezed(_ axes: Int...) -> Tensor {
    let rank = rank + axes.count
    let positions = Set(axes.map { $0 < 0 ? $0 + rank : $0 })
    precondition(
      positions.count == axes.count && positions.allSatisfy { (0..<rank).contains($0) },
      "unsqueezed: \(axes) are not axes of a result of rank \(rank)")
    var sizes = shape.makeIterator()
    return reshaped((0..<rank).map { positions.contains($0) ? 1 : sizes.next() ?? 1 })
  }

  /// Without the given axes, which must have size 1; negative ones count from the back.
  public func squeezed(_ axes: Int...) -> Tensor {
    let removed = Set(axes.map { normalizedAxis($0, "squeezed") })
    precondition(
      removed.allSatisfy { shape[$0] == 1 }, "squeezed: axes \(axes) of \(shape) are not all 1")
    return reshaped(shape.indices.filter { !removed.contains($0) }.map { shape[$0] })
  }
}

/// `x` with its axes in another order, not recorded.
private func permuted(_ x: Tensor, _ permutation: [Int]) -> Tensor {
  let result = Tensor(uninitialized: permutation.map { x.shape[$0] })
  let (strides, ys) = (x.shape.strides, result.shape.strides)
  let nest = LoopNest(
    permutation.indices.map {
      LoopNest.Axis(size: result.shape[$0], y: ys[$0], a: strides[permutation[$0]])
    })
  let (y, source) = (result.pointer, x.pointer)
  guard nest.colAxis.a != 1 else {
    let rowAxis = nest.rowAxis
    nest.forEachPiece { offset, from, _, rows, cols in
      ck_copy_rows_f32(y + offset, source + from, rows, cols, rowAxis.y, rowAxis.a)
    }
    return result
  }
  transposeInnermost(nest, y, source)
  return result
}

/// Copies when the innermost axes of source and result differ: tiles over just these two axes.
private func transposeInnermost(
  _ nest: LoopNest, _ y: UnsafeMutablePointer<Float>, _ x: UnsafePointer<Float>
) {
  guard let inner = nest.axes.indices.first(where: { nest.axes[$0].a == 1 }) else { return }
  let (sourceAxis, resultAxis) = (nest.axes[inner], nest.colAxis)
  var outer = nest.axes.dropLast()
  outer.remove(at: inner)
  let band = 64
  let bands = (resultAxis.size + band - 1) / band
  let planes = outer.reduce(1) { $0 * $1.size }
  guard sourceAxis.size > 0 else { return }
  parallelRows(planes * bands, width: sourceAxis.size * min(band, resultAxis.size)) { range in
    for item in range {
      var (to, from, index) = (0, 0, item / bands)
      for axis in outer.reversed() {
        to += index % axis.size * axis.y
        from += index % axis.size * axis.a
        index /= axis.size
      }
      let start = item % bands * band
      ck_transpose_f32(
        y + to + start, sourceAxis.y, x + from + start * resultAxis.a, resultAxis.a,
        min(band, resultAxis.size - start), sourceAxis.size)
    }
  }
}
