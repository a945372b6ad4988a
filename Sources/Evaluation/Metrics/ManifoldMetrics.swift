import ComputeCore

/// How well a set of made pictures covers the real ones, and how many of it are like real ones.
///
/// Each set is taken for the union of balls around its pictures' features that reach to their k-th
/// nearest neighbour. Precision and recall: Kynkäänniemi et al. 2019, arXiv:1904.06991, k = 3.
/// Density and coverage: Naeem et al. 2020, arXiv:2002.09797, k = 5.
public struct ManifoldMetrics: Codable, Equatable, Sendable {
  /// Share of made pictures inside of the real set.
  ///
  /// It asks whether they are good.
  public let precision: Double
  /// Share of real pictures inside of the made set.
  ///
  /// It asks whether everything is there.
  public let recall: Double
  /// Mean number of real balls, of k, around a made picture; precision that outliers do not flatter.
  public let density: Double
  /// Share of real pictures with a made one in their ball; recall that outliers do not flatter.
  public let coverage: Double
}

/// The four figures for `fake` beside `real`.
public func manifoldMetrics(real: FeatureStatistics, fake: FeatureStatistics) -> ManifoldMetrics {
  precondition(
    real.channels == fake.channels,
    "manifoldMetrics: \(real.channels) and \(fake.channels) features")
  // Distances do not depend on the centre, which must be the same for both.
  let points = FeaturePoints(fake.features.values, count: fake.count, center: real.mean)
  let made = madeAmongReal(points, real)
  let found = realAmongMade(real, points, fake.precisionRadii)
  let neighbors = Double(FeatureStatistics.densityNeighbors)
  return ManifoldMetrics(
    precision: share(made.map(\.isInside)), recall: share(found.map(\.isInside)),
    density: made.reduce(0) { $0 + Double($1.balls) } / neighbors / Double(fake.count),
    coverage: share(found.map(\.isCovered)))
}

/// For every made picture: whether it lies in a ball of 3 neighbours around a real one, and in how
/// many of 5 neighbours.
private func madeAmongReal(
  _ made: FeaturePoints, _ real: FeatureStatistics
) -> [(isInside: Bool, balls: Int)] {
  var result = [(isInside: Bool, balls: Int)](repeating: (false, 0), count: made.count)
  let (narrow, wide, count) = (real.precisionRadii, real.densityRadii, real.count)
  result.withUnsafeMutableBufferPointer { buffer in
    let rows = buffer
    narrow.withUnsafeBufferPointer { narrow in
      wide.withUnsafeBufferPointer { wide in
        made.forEachRow(to: real.points) { row, distances in
          var (inside, balls) = (0, 0)
          for place in 0..<count {
            inside += distances[place] < narrow[place] ? 1 : 0
            balls += distances[place] < wide[place] ? 1 : 0
          }
          rows[row] = (inside > 0, balls)
        }
      }
    }
  }
  return result
}

/// For every real picture: whether it lies in a ball around a made one, and whether a made one lies
/// in its own ball of 5 neighbours.
private func realAmongMade(
  _ real: FeatureStatistics, _ made: FeaturePoints, _ madeRadii: [Float]
) -> [(isInside: Bool, isCovered: Bool)] {
  var result = [(isInside: Bool, isCovered: Bool)](repeating: (false, false), count: real.count)
  let (own, count) = (real.densityRadii, made.count)
  result.withUnsafeMutableBufferPointer { buffer in
    let rows = buffer
    madeRadii.withUnsafeBufferPointer { radii in
      real.points.forEachRow(to: made) { row, distances in
        var (inside, covering) = (0, 0)
        for place in 0..<count {
          inside += distances[place] < radii[place] ? 1 : 0
          covering += distances[place] < own[row] ? 1 : 0
        }
        rows[row] = (inside > 0, covering > 0)
      }
    }
  }
  return result
}

private func share(_ answers: [Bool]) -> Double {
  Double(answers.count { $0 }) / Double(max(1, answers.count))
}
