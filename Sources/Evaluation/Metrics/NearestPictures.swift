import ComputeCore

/// A picture of one set and the one of another set that is most like it.
public struct NearestPicture: Equatable, Sendable {
  /// Place in the set that was searched.
  public let index: Int
  /// Euclidean distance of the features.
  public let distance: Double
}

/// The nearest of `candidates` `[M, D]` for each of `queries` `[N, D]`: shows copies.
///
/// - Returns: one per query; the first of those that are equally near.
public func nearestPictures(
  of queries: Tensor, among candidates: Tensor
) -> [NearestPicture] {
  precondition(
    queries.rank == 2 && candidates.rank == 2 && queries.shape[1] == candidates.shape[1]
      && candidates.shape[0] > 0,
    "nearestPictures: \(queries.shape) and \(candidates.shape) do not fit")
  let center = Compute.exactly { candidates.mean(axes: [0]).values.map(Double.init) }
  let points = FeaturePoints(queries.values, count: queries.shape[0], center: center)
  let others = FeaturePoints(candidates.values, count: candidates.shape[0], center: center)
  var places = [Int](repeating: 0, count: points.count)
  places.withUnsafeMutableBufferPointer { buffer in
    let rows = buffer
    points.forEachRow(to: others) { row, distances in
      rows[row] = smallest(distances, of: others.count, count: 1)[0].place
    }
  }
  // The table's small distances are differences of large numbers; the chosen ones are done again.
  let (a, b, width) = (points.vectors.values, others.vectors.values, queries.shape[1])
  return places.enumerated().map { row, place in
    let square = (0..<width).reduce(0.0) { sum, column in
      let difference = Double(a[row * width + column]) - Double(b[place * width + column])
      return sum + difference * difference
    }
    return NearestPicture(index: place, distance: square.squareRoot())
  }
}
