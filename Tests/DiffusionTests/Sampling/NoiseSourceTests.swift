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
  @Test func wholeRunsFromASeedEqualDiffusers() throws {
    let fixture = try Fixture("seeded")
    let factors: [String: Float] = try fixture.metadata("model")
    let (a, b) = (try #require(factors["a"]), try #require(factors["b"]))
    let cases = try fixture.cases()
    #expect(cases.count == 18)
    for (key, parameters) in cases {
      let name = try #require(parameters.config.sampler)
      #expect(name.algorithm.comfyUI == key)
      let sampler = try Sampler(name, parameters.config, eta: parameters.eta ?? 0)
      let timetable = try sampler.timetable(steps: parameters.steps)
      var noise = sampler.noise(seeds: [11], timetable)
      let start = timetable.start(noise.noise([2, 5, 3, 4]))
      let steps = Array(
        sampler.sampling(timetable, from: start, noise: noise) { input, timestep in
          tanh(a * input + b * timestep / 1000)
        })
      let found = try #require(steps.last).sample
      expectClose(found, try fixture.tensor(key), absolute: 2e-5, relative: 1e-5, key)
    }
  }

  /// ComfyUI on the CPU: one draw for the batch, and steps from the next seed.
  @Test func comfyUIStepsDrawFromTheNextSeed() throws {
    let name = SamplerName(.eulerAncestral)
    let timetable = try Sampler(name, .stableDiffusion, like: .comfyUI).timetable(steps: 4)
    var noise = Likeness.comfyUI.noise(seeds: [7, 8], for: name, timetable)
    var (first, rest) = (TorchNoise(seed: 7), TorchNoise(seed: 8))
    #expect(noise.noise(shape).values == first.noise(shape).values)
    #expect(noise.noise(shape).values == rest.noise(shape).values)
    #expect(noise.noise(shape).values == rest.noise(shape).values)
  }

  /// A batch of the web UI is what its pictures are alone; its order is that of `[C, H, W]`.
  @Test func webUIDrawsPerPictureFromAPhiloxGenerator() throws {
    let name = SamplerName(.euler)
    let timetable = try Sampler(name, .stableDiffusion, like: .a1111).timetable(steps: 4)
    var noise = Likeness.a1111.noise(seeds: [42, 0], for: name, timetable)
    let drawn = noise.noise(shape)
    var generator = PhiloxGenerator(seed: 0)
    let alone = Tensor.randn([1, 3, 4, 5], using: &generator).transposed([0, 2, 3, 1])
    #expect(Array(drawn.values.suffix(60)) == alone.values)
    // Published by the web UI for seed 0; the first row of the first channel.
    let row = (0..<4).map { drawn.values[60 + 3 * $0] }
    expectClose(row, [-0.92466259, -0.42534415, -2.6438457, 0.14518388], absolute: 1e-6)
  }
}
