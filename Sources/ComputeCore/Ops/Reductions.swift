import CKernels

extension Tensor {
  /// The sum of all elements, of shape `[]`.
  public func sum() -> Tensor { sum(axes: Array(shape.indices)) }

  /// The mean of all elements, of shape `[]`.
  public func mean() -> Tensor { mean(axes: Array(shape.indices)) }

  /// The sum over `axes`, which go away or, with `keepDims`, stay with size 1.
  ///
  /// Negative axes count from the back.
  public func sum(axes: [Int], keepDims: Bool = false) -> Tensor {
    scaledSum(axes: axes, keepDims: keepDims, scale: 1)
  }

  /// The mean over `axes`, which go away or, with `keepDims`, stay with size 1.
  ///
  /// Negative axes count from the back.
  public func mean(axes: [Int], keepDims: Bool = false) -> Tensor {
    let reduced = Reduction(self, axes: axes, "mean").reducedCount
    return scaledSum(axes: axes, keepDims: keepDims, scale: 1 / Float(reduced))
  }

  /// The largest element over `axes`, which go away or, with `keepDims`, stay with size 1.
  ///
  /// Negative axes count from the back. Elements that share the maximum share its gradient.
  public func max(axes: [Int], keepDims: Bool = false) -> Tensor {
    let span = profiled()
    defer { span?.end() }
    let reduction = Reduction(self, axes: axes, "max")
    precondition(reduction.reducedCount > 0, "max: nothing to reduce in shape \(shape)")
    let arranged = reduction.arranged(self)
    let y = maximum(arranged.pointer, reduction, shape: reduction.resultShape(keepDims))
    return y.recorded(from: [self]) { dy in
      let dx = maximumVJP(dy, arranged, y, reduction)
      return [reduction.restored(dx)]
    }
  }

  private func scaledSum(axes: [Int], keepDims: Bool, scale: Float) -> Tensor {
    let span = profiled()
    defer { span?.end() }
    let reduction = Reduction(self, axes: axes, "sum")
    let arranged = reduction.arranged(self)
    let y = Tensor(uninitialized: reduction.resultShape(keepDims))
    withExtendedLifetime(arranged) {
      sumMiddle(
        y.pointer, arranged.pointer, reduction.outer, reduction.middle, reduction.inner,
        scale: scale)
    }
    return y.recorded(from: [self]) { dy, _ in
      let dx = reduction.restored(repeated(dy.detached(), reduction, scale: scale))
      return [
        dx.recorded(from: [dy]) { ddx, _ in
          [ddx.scaledSum(axes: axes, keepDims: keepDims, scale: scale)]
        }
      ]
    }
  }
}

/// A tensor seen as `[outer, middle, inner]`, of which the middle is reduced.
private struct Reduction {
  let shape: Shape
  let isReduced: [Bool]
  /// Kept axes, then reduced ones; `nil` when the tensor fits the pattern as it is.
  let permutation: [Int]?
  let outer: Int
  let middle: Int
  let inner: Int

  init(_ x: Tensor, axes: [Int], _ operation: String) {
    var isReduced = [Bool](repeating: false, count: x.rank)
    for axis in axes { isReduced[x.normalizedAxis(axis, operation)] = true }
    self.shape = x.shape
    self.isReduced = isReduced
    let shape = x.shape
    func product(_ axes: some Sequence<Int>) -> Int { axes.reduce(1) { $0 * shape[$1] } }
    let matters = shape.indices.filter { shape[$0] != 1 }
    let first = matters.first { isReduced[$0] }
    let last = matters.last { isReduced[$0] }
    if let first, let last, matters.contains(where: { $0 > first && $0 < last && !isReduced[$0] }) {
      let kept = shape.indices.filter { !isReduced[$0] }
      let reduced = shape.indices.filter { isReduced[$0] }
      permutation = kept + reduced
      (outer, middle, inner) = (product(kept), product(reduced), 1)
    } else {
      permutation = nil
      let start = first ?? shape.count
      let end = last.map { $0 + 1 } ?? shape.count
      outer = product(0..<start)
      middle = product(start..<end)
      inner = product(end..<shape.count)
    }
  }

  var reducedCount: Int { middle }

  func resultShape(_ keepDims: Bool) -> Shape {
    keepDims
      ? shape.indices.map { isReduced[$0] ? 1 : shape[$0] }
      : shape.indices.filter { !isReduced[$0] }.map { shape[$0] }
  }

  /// `x` in the order `[outer, middle, inner]`.
  func arranged(_ x: Tensor) -> Tensor {
    permutation.map { x.detached().transposed($0) } ?? x.detached()
  }

  /// Undoes `arranged` for a gradient of `outer · middle · inner` elements.
  func restored(_ dx: Tensor) -> Tensor {
    guard let permutation else { return dx.reshaped(shape) }
    var inverse = permutation
    for (position, axis) in permutation.enumerated() { inverse[axis] = position }
    return dx.reshaped(permutation.map { shape[$0] }).transposed(inverse)
  }
}

/// `y[o, i] = scale · Σ_m x[o, m, i]`.
///
/// Long sums are made of sums over fixed pieces, so the result does not depend on the threads.
func sumMiddle(
  _ y: UnsafeMutablePointer<Float>, _ x: UnsafePointer<Float>, _ outer: Int, _ middle: Int,
  _ inner: Int, scale: Float
) {
  let pieceRows = max(8, 16_384 / max(1, inner))
  let pieces = max(1, (middle + pieceRows - 1) / pieceRows)
  guard pieces > 1 else {
    parallelRows(outer, width: middle * inner) { range in
      let start = range.lowerBound
      if inner == 1 {
        ck_sum_rows_f32(y + start, x + start * middle, scale, range.count, middle)
      } else {
        for o in range {
          ck_sum_columns_f32(y + o * inner, x + o * middle * inner, scale, middle, inner, inner)
        }
      }
    }
    return
  }
  let partial = Tensor(uninitialized: [outer, pieces, inner])
  let p = partial.pointer
  ThreadPool.shared.run(items: outer * pieces) { item in
    let (o, start) = (item / pieces, item % pieces * pieceRows)
    let rows = min(pieceRows, middle - start)
    let source = x + (o * middle + start) * inner
    if inner == 1 {
      ck_sum_f32(p + item, source, rows)
    } else {
      ck_sum_columns_f32(p + item * inner, source, 1, rows, inner, inner)
    }
  }
  withExtendedLifetime(partial) { sumMiddle(y, p, outer, pieces, inner, scale: scale) }
}

private func maximum(
  _ x: UnsafePointer<Float>, _ reduction: Reduction, shape: Shape
) -> Tensor {
  let result = Tensor(uninitialized: shape)
  let y = result.pointer
  let (middle, inner) = (reduction.middle, reduction.inner)
  parallelRows(reduction.outer, width: middle * inner) { range in
    let start = range.lowerBound
    if inner == 1 {
      ck_max_rows_f32(y + start, x + start * middle, range.count, middle)
    } else {
      for o in range {
        ck_max_columns_f32(y + o * inner, x + o * middle * inner, middle, inner, inner)
      }
    }
  }
  return result
}

private func maximumVJP(_ dy: Tensor, _ x: Tensor, _ y: Tensor, _ reduction: Reduction) -> Tensor {
  let (middle, inner) = (reduction.middle, reduction.inner)
  let result = Tensor(uninitialized: x.shape)
  let ties = Tensor(uninitialized: y.shape)
  let (dx, t, d, px, py) = (result.pointer, ties.pointer, dy.pointer, x.pointer, y.pointer)
  parallelRows(reduction.outer, width: middle * inner) { range in
    for o in range {
      let (start, kept) = (o * middle * inner, o * inner)
      ck_max_backward_f32(dx + start, t + kept, d + kept, px + start, py + kept, middle, inner)
    }
  }
  withExtendedLifetime(ties) {}
  return result
}

/// `dx[o, m, i] = scale · dy[o, i]`.
private func repeated(_ dy: Tensor, _ reduction: Reduction, scale: Float) -> Tensor {
  let (outer, middle, inner) = (reduction.outer, reduction.middle, reduction.inner)
  let result = Tensor(uninitialized: [outer, middle, inner])
  let (dx, d) = (result.pointer, dy.pointer)
  if inner == 1 {
    let width = max(1, min(middle, 16_384))
    let pieces = (middle + width - 1) / width
    parallelChunks(outer * pieces, chunk: max(1, 16_384 / width)) { range in
      for item in range {
        let (o, start) = (item / pieces, item % pieces * width)
        ck_repeat_columns_f32(
          dx + o * middle + start, d + o, scale, 1, min(width, middle - start))
      }
    }
  } else {
    parallelRows(outer * middle, width: inner) { range in
      var row = range.lowerBound
      while row < range.upperBound {
        let o = row / middle
        let end = min(range.upperBound, (o + 1) * middle)
        ck_repeat_row_f32(dx + row * inner, d + o * inner, scale, end - row, inner)
        row = end
      }
    }
  }
  return result
}
