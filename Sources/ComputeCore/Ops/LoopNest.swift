/// Nested loops over up to three strided arrays, with as few axes as the strides allow.
///
/// Axes of size 1 go, and neighbours that are contiguous in every array become one. The first
/// array is the one that is written.
struct LoopNest {
  /// One loop: its size and how far a step goes in each array.
  struct Axis {
    var size: Int
    var y: Int
    var a: Int
    var b: Int = 0
  }

  private(set) var axes: [Axis] = []

  /// - Parameter axes: outermost first.
  init(_ axes: [Axis]) {
    for axis in axes where axis.size != 1 {
      if let outer = self.axes.last, outer.y == axis.y * axis.size,
        outer.a == axis.a * axis.size, outer.b == axis.b * axis.size
      {
        self.axes.removeLast()
        self.axes.append(
          Axis(size: outer.size * axis.size, y: axis.y, a: axis.a, b: axis.b))
      } else {
        self.axes.append(axis)
      }
    }
  }

  /// Runs `body` on two-dimensional pieces of about 16 000 elements, in parallel.
  ///
  /// - Parameter body: gets the offsets of a piece in the three arrays, the number of rows and the
  ///   range of columns; the strides of rows and columns are those of the last two axes.
  func forEachPiece(_ body: (_ y: Int, _ a: Int, _ b: Int, _ rows: Int, _ cols: Int) -> Void) {
    let inner = axes.last ?? Axis(size: 1, y: 1, a: 1, b: 1)
    let rows = axes.dropLast().last ?? Axis(size: 1, y: 0, a: 0)
    let outer = axes.dropLast(2)
    let outerCount = outer.reduce(1) { $0 * $1.size }
    guard outerCount * rows.size * inner.size > 0 else { return }
    let colsPerPiece = min(inner.size, 16_384)
    let colPieces = (inner.size + colsPerPiece - 1) / colsPerPiece
    let rowsPerPiece = min(rows.size, max(1, 16_384 / colsPerPiece))
    let rowPieces = (rows.size + rowsPerPiece - 1) / rowsPerPiece
    let piecesPerOuter = colPieces * rowPieces
    // Small pieces are run in groups, so that handing them out costs little.
    let pieces = outerCount * piecesPerOuter
    let group = max(1, 16_384 / (rowsPerPiece * colsPerPiece))
    parallelChunks(pieces, chunk: group) { range in
      for piece in range {
        var (y, a, b) = (0, 0, 0)
        var index = piece / piecesPerOuter
        for axis in outer.reversed() {
          let position = index % axis.size
          index /= axis.size
          y += position * axis.y
          a += position * axis.a
          b += position * axis.b
        }
        let within = piece % piecesPerOuter
        let row = within / colPieces * rowsPerPiece
        let col = within % colPieces * colsPerPiece
        body(
          y + row * rows.y + col * inner.y, a + row * rows.a + col * inner.a,
          b + row * rows.b + col * inner.b, min(rowsPerPiece, rows.size - row),
          min(colsPerPiece, inner.size - col))
      }
    }
  }

  /// The loop whose steps are the rows of a piece.
  var rowAxis: Axis { axes.dropLast().last ?? Axis(size: 1, y: 0, a: 0) }

  /// The loop whose steps are the columns of a piece.
  var colAxis: Axis { axes.last ?? Axis(size: 1, y: 1, a: 1, b: 1) }
}

extension [Int] {
  /// Row-major distances between neighbours along each axis of this shape.
  var strides: [Int] {
    var result = self
    var step = 1
    for axis in indices.reversed() {
      result[axis] = step
      step *= self[axis]
    }
    return result
  }
}

extension Tensor {
  /// `axis` counted from the front; negative ones count from the back.
  func normalizedAxis(_ axis: Int, _ operation: String) -> Int {
    let result = axis < 0 ? axis + rank : axis
    precondition(
      shape.indices.contains(result), "\(operation): axis \(axis) is outside shape \(shape)")
    return result
  }
}
