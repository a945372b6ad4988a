import ComputeCore
import Diffusion
import Testing

@Suite struct NoiseSourceTests {
  private let shape = [2, 4, 5, 3]

  @Test func oneGeneratorDrawsAsDiffusers() throws {
    let fixture = try Fixture("noise")
    var noise = TorchNoise(seed: 7)
    expectClose(noise.noise(shape), try fixture.tensor("batch.first"), absolute: 1e-6)
    expectClose(noise.noise(shape), try fixture.tensor("batch.second"), absolute: 1e-6)
  }

  @Test func oneGeneratorPerPictureDrawsAsDiffusers() throws {
    let fixture = try Fixture("noise")
    var noise = TorchNoise(seeds: [7, 8])
    expectClose(noise.noise(shape), try fixture.tensor("each.first"), absolute: 1e-6)
    expectClose(noise.noise(shape), try fixture.tensor("each.second"), absolute: 1e-6)
  }

  @Test func pictureOfAListHasTheNumbersOfItsSeedAlone() {
    var (list, alone) = (TorchNoise(seeds: [1, 9]), TorchNoise(seed: 9))
    let second = Array(list.noise([2, 4, 4, 4]).values.suffix(64))
    #expect(second == alone.noise([1, 4, 4, 4]).values)
  }

  /// The promise of the whole target: a seed makes the picture it makes in diffusers.
  @Test(arguments: SamplerName.Algorithm.allCases) func wholeRunsFromASeedEqualDiffusers(
    _ algorithm: SamplerName.Algorithm
  ) throws {
    let fixture = try Fixture("seeded")
    let factors: [String: Float] = try fixture.metadata("model")
    let (a, b) = (try #require(factors["a"]), try #require(factors["b"]))
    var config = SchedulerConfig.stableDiffusion
    config.setAlphaToOne = true
    let sampler = try Sampler(SamplerName(algorithm), config, eta: algorithm == .ddim ? 0.5 : 0)
    let timetable = try sampler.timetable(steps: 6)
    var noise = TorchNoise(seed: 11)
    let start = timetable.start(noise.noise([2, 5, 3, 4]))
    let steps = Array(
      sampler.sampling(timetable, from: start, noise: noise) { input, timestep in
        tanh(a * input + b * timestep / 1000)
      })
    let found = try #require(steps.last).sample
    expectClose(
      found, try fixture.tensor(algorithm.comfyUI), absolute: 2e-5, relative: 1e-5,
      algorithm.comfyUI)
  }
}
