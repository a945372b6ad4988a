import CKernels

extension Tensor {
  /// The part of this tensor whose positions along `axis` lie in `range`; copies.
  ///
  /// Negative axes count from the back.
  public func sliced(axis: Int, _ range: Range<Int>) -> Tensor {
    let axis = normalizedAxis(axis, "sliced")
    precondition(
      range.lowerBound >= 0 && range.upperBound <= shape[axis],
      "sliced: \(range) is outside axis \(axis) of shape \(shape)")
    if range.count == shape[axis] { return self }
    var start = [Int](repeating: 0, count: rank)
    start[axis] = range.lowerBound
    var size = shape
    size[axis] = range.count
    return cropped(start, size)
  }

  /// Consecutive parts along `axis`, of the given sizes, which must add up to the whole.
  public func split(axis: Int, sizes: [Int]) -> [Tensor] {
    let axis = normalizedAxis(axis, "split")
    precondition(
      sizes.reduce(0, +) == shape[axis],
      "split: sizes \(sizes) do not add up to axis \(axis) of shape \(shape)")
    var start = 0
    return sizes.map { size in
      defer { start += size }
      return sliced(axis: axis, start..<start + size)
    }
  }

  /// Zeros added around this tensor.
  ///
  /// - Parameter padding: for each axis, how many zeros go before and after it.
  /// - Returns: a tensor whose axes are longer by that much.
  public func padded(_ padding: [(before: Int, after: Int)]) -> Tensor {
    precondition(
      padding.count == rank && padding.allSatisfy { $0.before >= 0 && $0.after >= 0 },
      "padded: expected \(rank) pairs of sizes from 0 up, got \(padding)")
    if padding.allSatisfy({ $0.before == 0 && $0.after == 0 }) { return self }
    let span = profiled()
    defer { span?.end() }
    let outside = zip(shape, padding).map { $0 + $1.before + $1.after }
    let start = padding.map(\.before)
    let size = shape
    return embedded(self, at: start, in: outside)
      .recorded(from: [self]) { dy, _ in [dy.cropped(start, size)] }
  }

  /// A tensor put together from boxes, which are made one after another; not recorded.
  ///
  /// - Parameters:
  ///   - shape: of the whole.
  ///   - starts: where each box begins; together they must cover the whole.
  ///   - box: makes the box with a number.
  package init(assembling shape: Shape, at starts: [[Int]], _ box: (Int) -> Tensor) {
    self.init(uninitialized: shape)
    for (index, start) in starts.enumerated() {
      let part = box(index)
      precondition(
        part.rank == shape.count
          && zip(zip(start, part.shape), shape).allSatisfy { $0.0 >= 0 && $0.0 + $0.1 <= $1 },
        "assembling: \(part.shape) at \(start) is outside \(shape)")
      copyBox(
        part.shape, to: pointer, shape, at: start, from: part.pointer, part.shape,
        at: start.map { _ in 0 })
    }
  }

  /// The box of `size` that begins at `start`.
  private func cropped(_ start: [Int], _ size: Shape) -> Tensor {
    let span = profiled()
    defer { span?.end() }
    let y = Tensor(uninitialized: size)
    let full = shape
    copyBox(
      size, to: y.pointer, size, at: start.map { _ in 0 }, from: pointer, full, at: start)
    return y.recorded(from: [self]) { dy, _ in
      [
        dy.padded(
          full.indices.map { (before: start[$0], after: full[$0] - start[$0] - size[$0]) })
      ]
    }
  }
}

/// The tensors one after another along `axis`, along which alone their sizes may differ.
///
/// Negative axes count from the back.
public func concatenated(_ parts: [Tensor], axis: Int = -1) -> Tensor {
  guard let first = parts.first else { preconditionFailure("concatenated: no tensors") }
  if parts.count == 1 { return first }
  let span = profiled()
  defer { span?.end() }
  let axis = first.normalizedAxis(axis, "concatenated")
  var shape = first.shape
  shape[axis] = parts.reduce(0) { $0 + ($1.rank == first.rank ? $1.shape[axis] : 0) }
  let result = Tensor(uninitialized: shape)
  var ranges: [Range<Int>?] = []
  var start = [Int](repeating: 0, count: first.rank)
  for part in parts {
    var expected = shape
    expected[axis] = part.rank == first.rank ? part.shape[axis] : 0
    precondition(
      part.shape == expected,
      "concatenated: shapes \(parts.map(\.shape)) differ outside axis \(axis)")
    copyBox(
      part.shape, to: result.pointer, shape, at: start, from: part.pointer, part.shape,
      at: start.map { _ in 0 })
    let end = start[axis] + part.shape[axis]
    ranges.append(part.isRecorded ? start[axis]..<end : nil)
    start[axis] = end
  }
  return result.recorded(from: parts) { [ranges] dy, _ in
    ranges.map { range in range.map { dy.sliced(axis: axis, $0) } }
  }
}

/// `x` at `start` in a tensor of `shape` that is zero elsewhere, not recorded.
private func embedded(_ x: Tensor, at start: [Int], in shape: Shape) -> Tensor {
  let y = Tensor.zeros(shape)
  copyBox(
    x.shape, to: y.pointer, shape, at: start, from: x.pointer, x.shape, at: start.map { _ in 0 })
  return y
}

/// Copies a box of `size` between two dense arrays.
private func copyBox(
  _ size: Shape, to y: UnsafeMutablePointer<Float>, _ yShape: Shape, at yStart: [Int],
  from x: UnsafePointer<Float>, _ xShape: Shape, at xStart: [Int]
) {
  let (ys, xs) = (yShape.strides, xShape.strides)
  let target = y + zip(yStart, ys).reduce(0) { $0 + $1.0 * $1.1 }
  let source = x + zip(xStart, xs).reduce(0) { $0 + $1.0 * $1.1 }
  let nest = LoopNest(
    size.indices.map { LoopNest.Axis(size: size[$0], y: ys[$0], a: xs[$0]) })
  guard nest.colAxis.y == 1, nest.colAxis.a == 1 else {
    let column = nest.colAxis
    nest.forEachPiece { to, from, _, rows, cols in
      for r in 0..<rows {
        ck_copy_rows_f32(
          target + to + r * nest.rowAxis.y, source + from + r * nest.rowAxis.a, cols, 1, column.y,
          column.a)
      }
    }
    return
  }
  let rowAxis = nest.rowAxis
  nest.forEachPiece { to, from, _, rows, cols in
    ck_copy_rows_f32(target + to, source + from, rows, cols, rowAxis.y, rowAxis.a)
  }
}
