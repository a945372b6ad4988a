import Diffusion
import Testing

@Suite struct LossWeightsTests {
  /// diffusers computes `(√ā / √(1 − ā))²`, which rounds three times more than we do.
  ///
  /// In rescaled tables `ā` differs by an ulp, which is 0.3 % of the first `1 − ā` of the cosine.
  @Test(arguments: NoiseScheduleTests.cases) func weightsEqualDiffusers(_ name: String) throws {
    let fixture = try Fixture("min_snr")
    let schedule = try NoiseScheduleTests.schedule(name)
    let timesteps = try fixture.values("\(name).timesteps").map { Int($0) }
    let tolerance: Float = name.hasSuffix("_zero_snr") ? 4e-3 : 2e-6
    expectClose(
      timesteps.map(schedule.snr), try fixture.values("\(name).snr"), relative: tolerance)
    for prediction in PredictionType.allCases where prediction != .flow {
      let key = "\(name).weight.\(prediction.rawValue)"
      guard fixture.contains(key) else {
        #expect(prediction == .epsilon && name.hasSuffix("_zero_snr"))
        continue
      }
      expectClose(
        schedule.minSNRWeights(timesteps, prediction: prediction), try fixture.values(key),
        relative: tolerance, key)
    }
  }

  /// For the error of `noise − x₀` is that of `x₀` times `(α + σ) / σ`; diffusers has none.
  @Test func flowWeightsAreThoseOfThePicture() throws {
    let schedule = try NoiseScheduleTests.schedule("scaled_linear")
    let timesteps = [1, 300, 999]
    let weights = schedule.minSNRWeights(timesteps, prediction: .flow)
    let expected = zip(timesteps, schedule.minSNRWeights(timesteps, prediction: .sample)).map {
      let (alpha, sigma) = (
        schedule.alphasCumprod[$0].squareRoot(), (1 - schedule.alphasCumprod[$0]).squareRoot()
      )
      return $1 * (sigma / (alpha + sigma)) * (sigma / (alpha + sigma))
    }
    expectClose(weights, expected, relative: 1e-5)
  }

  @Test func epsilonWeightAtZeroSNRIsItsLimit() throws {
    let schedule = try NoiseScheduleTests.schedule("scaled_linear_zero_snr")
    #expect(schedule.minSNRWeights([999], prediction: .epsilon) == [1])
    #expect(schedule.minSNRWeights([999], prediction: .v) == [0])
  }
}
