import ComputeCore

/// Vectors between which distances are computed, by the core's matrix product.
struct FeaturePoints {
  /// `[N, D]`, moved so that the common centre is at 0.
  let vectors: Tensor
  /// Squared length of each, `[N]`.
  let squares: [Float]

  /// Rows of a table of distances that are computed at once hold about as many numbers as this.
  private static let blockElements = 1 << 22

  init(_ values: [Float], count: Int, center: [Double]) {
    let width = center.count
    var moved = [Float](repeating: 0, count: values.count)
    var squares = [Float](repeating: 0, count: count)
    for row in 0..<count {
      var square = 0.0
      for column in 0..<width {
        let value = Float(Double(values[row * width + column]) - center[column])
        moved[row * width + column] = value
        square += Double(value) * Double(value)
      }
      squares[row] = Float(square)
    }
    vectors = Tensor(moved, [count, width])
    self.squares = squares
  }

  var count: Int { squares.count }

  /// Calls `body` with each row of the table of squared distances from these points to `others`.
  ///
  /// - Parameters:
  ///   - others: as many columns.
  ///   - body: gets the number of the row and its distances; is called from several threads, each
  ///     row once.
  func forEachRow(
    to others: FeaturePoints, _ body: (_ row: Int, _ distances: UnsafeMutablePointer<Float>) -> Void
  ) {
    let columns = others.count
    let rowsAtOnce = max(1, Self.blockElements / max(1, columns))
    for start in stride(from: 0, to: count, by: rowsAtOnce) {
      let rows = min(rowsAtOnce, count - start)
      let block = vectors.sliced(axis: 0, start..<start + rows)
      let products = Compute.exactly { linear(block, weight: others.vectors) }
      let table = products.pointer
      others.squares.withUnsafeBufferPointer { squares in
        guard let squares = squares.baseAddress else { return }
        parallelChunks(rows, chunk: max(1, 32_768 / columns)) { range in
          for row in range {
            let line = table + row * columns
            let own = self.squares[start + row]
            for column in 0..<columns {
              let distance = own + squares[column] - 2 * line[column]
              line[column] = distance > 0 ? distance : 0
            }
            body(start + row, line)
          }
        }
      }
      withExtendedLifetime(products) {}
    }
  }
}

extension Compute {
  /// Runs `body` with products in 32 bits and without recording.
  static func exactly<R>(_ body: () -> R) -> R {
    with(
      {
        $0.precision = .float32
        $0.isRecording = false
      }, body)
  }
}

/// The squared distances of every point to its `count` nearest other points, ascending, `[N]`.
func neighborDistances(_ points: FeaturePoints, count: Int) -> [[Float]] {
  var result = [[Float]](repeating: [], count: points.count)
  result.withUnsafeMutableBufferPointer { buffer in
    let rows = buffer
    points.forEachRow(to: points) { row, distances in
      distances[row] = .infinity
      rows[row] = smallest(distances, of: points.count, count: count).map(\.distance)
    }
  }
  return result
}

/// The `count` smallest of `total` distances with their places, ascending.
func smallest(
  _ distances: UnsafePointer<Float>, of total: Int, count: Int
) -> [(place: Int, distance: Float)] {
  var best: [(place: Int, distance: Float)] = []
  best.reserveCapacity(count + 1)
  var limit = Float.infinity
  for place in 0..<total where distances[place] < limit || best.count < count {
    let distance = distances[place]
    let position = best.firstIndex { distance < $0.distance } ?? best.count
    best.insert((place, distance), at: position)
    if best.count > count { best.removeLast() }
    if best.count == count { limit = best[count - 1].distance }
  }
  return best
}
