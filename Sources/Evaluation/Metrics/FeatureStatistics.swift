import ComputeCore

/// The features of a set of pictures and all that is worked out from them alone.
///
/// Make it once of the real pictures; `report(on:)` then measures any number of other sets. Made of
/// 10,000 vectors of 128 numbers it takes some tenths of a second.
public struct FeatureStatistics {
  /// Name of the network the features are from, such as `fashion-cnn`.
  public let network: String
  /// What a network made of the pictures, `[N, D]`.
  public let features: Tensor
  /// Mean of each feature, `[D]`.
  public let mean: [Double]
  /// Covariance of the features (divided by N - 1), `[D, D]`.
  package let covariance: DoubleMatrix
  /// The features around their mean.
  let points: FeaturePoints
  /// Squared distance of each vector to its `precisionNeighbors`-th nearest other one, `[N]`.
  let precisionRadii: [Float]
  /// Squared distance of each vector to its `densityNeighbors`-th nearest other one, `[N]`.
  let densityRadii: [Float]

  /// Neighbours that precision and recall ask for (arXiv:1904.06991).
  public static let precisionNeighbors = 3
  /// Neighbours that density and coverage ask for (arXiv:2002.09797).
  public static let densityNeighbors = 5
  /// The least number of pictures.
  public static let minimumCount = densityNeighbors + 1

  /// Works out the statistics of a set.
  ///
  /// - Parameters:
  ///   - features: `[N, D]`, finite.
  ///   - network: what made them.
  ///   - name: of the set, for messages.
  /// - Throws: `EvaluationError.tooFew` or `.wrongFeatures`.
  public init(
    _ features: Tensor, network: String, name: String = "the set"
  ) throws(EvaluationError) {
    precondition(
      features.rank == 2 && features.shape[1] > 0,
      "FeatureStatistics: features must be [N, D], got \(features.shape)")
    let count = features.shape[0]
    guard count >= Self.minimumCount else {
      throw .tooFew(name: name, found: count, needed: Self.minimumCount)
    }
    let values = features.detached().values
    guard values.allSatisfy(\.isFinite) else {
      throw .wrongFeatures(
        "the features of \(name) by \(network) are not all numbers; the network does not fit")
    }
    self.network = network
    self.features = Tensor(values, features.shape)
    let mean = columnMeans(values, features.shape[1])
    self.mean = mean
    covariance = centeredCovariance(values, mean)
    points = FeaturePoints(values, count: count, center: mean)
    let largest = max(Self.precisionNeighbors, Self.densityNeighbors)
    let nearest = neighborDistances(points, count: largest)
    precisionRadii = nearest.map { $0[Self.precisionNeighbors - 1] }
    densityRadii = nearest.map { $0[Self.densityNeighbors - 1] }
  }

  /// Number of pictures.
  public var count: Int { features.shape[0] }

  /// Numbers per picture.
  public var channels: Int { features.shape[1] }
}

/// The mean of each column of `[N, D]` values.
private func columnMeans(_ values: [Float], _ width: Int) -> [Double] {
  var sums = [Double](repeating: 0, count: width)
  let count = values.count / width
  for row in 0..<count {
    for column in 0..<width { sums[column] += Double(values[row * width + column]) }
  }
  return sums.map { $0 / Double(count) }
}

/// Sums of products of centred columns over N - 1, in portions of rows.
private func centeredCovariance(_ values: [Float], _ mean: [Double]) -> DoubleMatrix {
  let (width, portion) = (mean.count, 1_024)
  let count = values.count / width
  var sum = DoubleMatrix(rows: width, columns: width)
  for start in stride(from: 0, to: count, by: portion) {
    let rows = min(portion, count - start)
    var columns = DoubleMatrix(rows: width, columns: rows)
    for row in 0..<rows {
      for column in 0..<width {
        columns[column, row] = Double(values[(start + row) * width + column]) - mean[column]
      }
    }
    sum.addProduct(columns, transposing: columns, isSymmetric: true)
  }
  sum.values = sum.values.map { $0 / Double(count - 1) }
  return sum
}
