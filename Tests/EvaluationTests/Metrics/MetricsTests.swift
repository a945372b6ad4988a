import ComputeCore
import Evaluation
import Foundation
import TestSupport
import Testing

/// Figures against numpy, scipy, scikit-learn and prdc: scripts/fixtures/evaluation.py.
@Suite struct MetricsTests {
  private func statistics(
    _ item: Fixture.Case
  ) throws -> (real: FeatureStatistics, fake: FeatureStatistics) {
    (
      try FeatureStatistics(item.tensor("real"), network: "n"),
      try FeatureStatistics(item.tensor("fake"), network: "n")
    )
  }

  private func expectClose(
    _ found: Double, _ item: Fixture.Case, _ key: String, tolerance: Double,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let expected = try item.parameter(key, as: Double.self)
    #expect(
      abs(found - expected) <= tolerance * max(1, abs(expected)),
      "\(item.name).\(key) is \(found), expected \(expected)", sourceLocation: sourceLocation)
  }

  @Test func figuresMatchTheReference() throws {
    for item in try Fixture("distances").cases {
      let (real, fake) = try statistics(item)
      let report = try real.report(on: item.tensor("fake"))
      try expectClose(report.frechetDistance, item, "frechet_distance", tolerance: 1e-9)
      try expectClose(frechetDistance(fake, real), item, "frechet_distance", tolerance: 1e-9)
      try expectClose(report.kernelDistance.value, item, "kernel_distance", tolerance: 1e-5)
      try expectClose(report.manifold.precision, item, "precision", tolerance: 1e-12)
      try expectClose(report.manifold.recall, item, "recall", tolerance: 1e-12)
      try expectClose(report.manifold.density, item, "density", tolerance: 1e-12)
      try expectClose(report.manifold.coverage, item, "coverage", tolerance: 1e-12)
    }
  }

  @Test func subsetsOfTheKernelDistanceMatchTheReference() throws {
    for item in try Fixture("distances").cases {
      let (real, fake) = try statistics(item)
      let places = (try item.integers("first_places"), try item.integers("second_places"))
      var weights = (PictureWeights(real.count), PictureWeights(fake.count))
      for subset in 0..<3 {
        weights.0.addSubset(places.0[subset * 20..<subset * 20 + 20].map { Int($0) })
        weights.1.addSubset(places.1[subset * 20..<subset * 20 + 20].map { Int($0) })
      }
      let found = weightedKernelDistances(real.features, fake.features, weights.0, weights.1)
      let expected = try item.parameter("subset_distances", as: [Double].self)
      for (a, b) in zip(found, expected) { #expect(abs(a - b) < 1e-5 * max(1, abs(b))) }
    }
  }

  @Test func nearestPicturesMatchTheReference() throws {
    for item in try Fixture("distances").cases {
      let found = nearestPictures(
        of: try item.tensor("fake"), among: try item.tensor("real"))
      #expect(found.map { Int32($0.index) } == (try item.integers("nearest")))
      let distances = try item.parameter("nearest_distances", as: [Double].self)
      for (a, b) in zip(found, distances) { #expect(abs(a.distance - b) < 1e-5 * b) }
    }
  }

  /// Two Gaussians in the plane, one turned by an angle: the product's root is known in closed form.
  @Test(arguments: [0.0, 0.3, 1.2]) func frechetDistanceOfKnownGaussians(_ angle: Double) {
    let (c, s) = (cos(angle), sin(angle))
    let (p, q) = (4.0, 0.25)
    let first = DoubleMatrix(rows: 2, columns: 2, values: [p, 0, 0, q])
    let turned = DoubleMatrix(
      rows: 2, columns: 2,
      values: [p * c * c + q * s * s, (p - q) * c * s, (p - q) * c * s, p * s * s + q * c * c])
    // tr M^½ of a 2x2 matrix is (tr M + 2 (det M)^½)^½
    let product = p * turned[0, 0] + q * turned[1, 1]
    let root = (product + 2 * p * q).squareRoot()
    let found = frechetDistance(means: ([1, 2], [4, -2]), covariances: (first, turned))
    #expect(abs(found - (25 + 2 * (p + q) - 2 * root)) < 1e-12)
  }

  /// Independent features: the distance is a sum over features, at a size that uses all the tiling.
  @Test func frechetDistanceOfManyIndependentFeatures() {
    let n = 200
    var covariances = (
      DoubleMatrix(rows: n, columns: n), DoubleMatrix(rows: n, columns: n)
    )
    var expected = 0.0
    for i in 0..<n {
      let (a, b) = (Double(i % 7), Double((i * i) % 11) / 3)
      (covariances.0[i, i], covariances.1[i, i]) = (a * a, b * b)
      expected += (a - b) * (a - b)
    }
    let zeros = [Double](repeating: 0, count: n)
    let found = frechetDistance(means: (zeros, zeros), covariances: covariances)
    #expect(abs(found - expected) < 1e-10 * expected)
  }

  @Test func aSetIsAtNoDistanceFromItself() throws {
    let item = try #require(try Fixture("distances").cases.first)
    let (real, _) = try statistics(item)
    let report = real.report(on: real)
    #expect(report.frechetDistance < 1e-5)
    #expect(report.manifold.precision == 1 && report.manifold.coverage == 1)
    #expect(report.kernelDistance.value < 0)
  }

  @Test func resultsDependOnTheSeedAlone() throws {
    let item = try #require(try Fixture("distances").cases.first)
    let (real, fake) = try statistics(item)
    func distance(_ threads: Int, seed: UInt64) -> KernelDistance {
      var settings = KernelDistance.Settings.quick
      settings.seed = seed
      return Compute.with(
        { $0.threads = threads }, { kernelDistance(real, fake, settings: settings) })
    }
    #expect(distance(1, seed: 3) == distance(2, seed: 3))
    #expect(distance(1, seed: 3) != distance(1, seed: 4))
    #expect(distance(1, seed: 3).value == distance(1, seed: 4).value)
  }

  @Test func tooFewPicturesAndBrokenFeaturesAreRefused() throws {
    #expect(throws: EvaluationError.self) {
      try FeatureStatistics(Tensor.ones([5, 3]), network: "n")
    }
    var values = [Float](repeating: 1, count: 60)
    values[7] = .nan
    #expect(throws: EvaluationError.self) {
      try FeatureStatistics(Tensor(values, [20, 3]), network: "n")
    }
    let real = try FeatureStatistics(Tensor.ones([9, 3]), network: "n")
    #expect(throws: EvaluationError.self) { try real.report(on: Tensor.ones([9, 4])) }
    #expect(try real.report(on: Tensor.ones([9, 3])).frechetDistance == 0)
  }
}
