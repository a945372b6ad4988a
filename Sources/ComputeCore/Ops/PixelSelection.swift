/// Pictures whose rows and columns are picked from those of other pictures: shifts, mirrors, crops.
///
/// - Parameters:
///   - x: `[N, H, W, C]`.
///   - rows: for each picture and each row of the result the row it is a copy of, `[N, H']`,
///     row-major.
///   - columns: the same for columns, `[N, W']`.
/// - Returns: `[N, H', W', C]`.
public func selectedPixels(_ x: Tensor, rows: [Int32], columns: [Int32]) -> Tensor {
  let span = profiled()
  defer { span?.end() }
  precondition(x.rank == 4, "selectedPixels: x must be [N, H, W, C], got \(x.shape)")
  let selection = PixelSelection(x.shape, rows, columns)
  return selection.gathered(x)
}

/// Which pixels are picked, and the way back.
private struct PixelSelection {
  let shape: Shape
  let rows: [Int32]
  let columns: [Int32]
  let height: Int
  let width: Int

  init(_ shape: Shape, _ rows: [Int32], _ columns: [Int32]) {
    let n = shape[0]
    (self.shape, self.rows, self.columns) = (shape, rows, columns)
    (height, width) = (rows.count / max(1, n), columns.count / max(1, n))
    precondition(
      rows.count == n * height && columns.count == n * width
        && rows.allSatisfy { (0..<shape[1]).contains(Int($0)) }
        && columns.allSatisfy { (0..<shape[2]).contains(Int($0)) },
      "selectedPixels: rows and columns must be those of pictures of \(shape)")
  }

  /// Copies the picked pixels.
  func gathered(_ x: Tensor) -> Tensor {
    let y = Tensor(uninitialized: [shape[0], height, width, shape[3]])
    let (target, source) = (y.pointer, x.pointer)
    forEachPixel { picked, original, count in
      (target + picked).update(from: source + original, count: count)
    }
    return y.recorded(from: [x]) { dy, _ in [scattered(dy)] }
  }

  /// Adds each number to the pixel it was picked from.
  private func scattered(_ dy: Tensor) -> Tensor {
    let dx = Tensor.zeros(shape)
    let (target, source) = (dx.pointer, dy.pointer)
    forEachPixel { picked, original, count in
      for channel in 0..<count { target[original + channel] += source[picked + channel] }
    }
    return dx.recorded(from: [dy]) { ddx, _ in [gathered(ddx)] }
  }

  /// Calls `body` with the places of each picked pixel and of its original, a picture per thread.
  private func forEachPixel(_ body: (_ picked: Int, _ original: Int, _ count: Int) -> Void) {
    let (h, w, c) = (shape[1], shape[2], shape[3])
    ThreadPool.shared.run(items: shape[0]) { n in
      for i in 0..<height {
        let line = (n * h + Int(rows[n * height + i])) * w
        for j in 0..<width {
          body(((n * height + i) * width + j) * c, (line + Int(columns[n * width + j])) * c, c)
        }
      }
    }
  }
}
