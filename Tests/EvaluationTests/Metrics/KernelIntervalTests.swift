import ComputeCore
import Evaluation
import Testing

@Suite struct KernelIntervalTests {
  /// The interval holds the true distance in about 95 of 100 repetitions.
  ///
  /// For single features that are normal with means 0 and 1, `E (x y + 1)³` follows from their
  /// moments: with m₁ = E x, m₂ = E x², m₃ = E x³ it is `m₃ m₃' + 3 m₂ m₂' + 3 m₁ m₁' + 1`.
  @Test func coversTheTruth() throws {
    let moments = (a: [0.0, 1, 0], b: [1.0, 2, 4])
    func kernel(_ x: [Double], _ y: [Double]) -> Double {
      x[2] * y[2] + 3 * x[1] * y[1] + 3 * x[0] * y[0] + 1
    }
    let truth =
      kernel(moments.a, moments.a) + kernel(moments.b, moments.b)
      - 2 * kernel(moments.a, moments.b)
    var (covered, values) = (0, [Double]())
    for seed in 0..<100 {
      var generator = TorchGenerator(seed: UInt64(seed))
      let a = Tensor.randn([300, 1], using: &generator)
      let b = Tensor.randn([300, 1], using: &generator) + 1
      var settings = KernelDistance.Settings()
      (settings.replicates, settings.subsets, settings.subsetSize) = (200, 20, 100)
      let found = kernelDistance(
        try FeatureStatistics(a, network: "n"), try FeatureStatistics(b, network: "n"),
        settings: settings)
      values.append(found.value)
      if found.lower <= truth && truth <= found.upper { covered += 1 }
      #expect(found.lower < found.value && found.value < found.upper)
      #expect(found.subsetDeviation > 0)
    }
    #expect(covered >= 86 && covered <= 100, "\(covered) of 100")
    let mean = values.reduce(0, +) / 100
    let deviation = (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 99).squareRoot()
    #expect(abs(mean - truth) < 3 * deviation / 10, "the mean is \(mean), not \(truth)")
  }
}
