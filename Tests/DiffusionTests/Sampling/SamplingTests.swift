import ComputeCore
import Diffusion
import Testing

@Suite struct SamplingTests {
  private let shape = [1, 2, 2, 1]

  @Test func stepsAreComputedWhenAskedFor() throws {
    let sampler = try Sampler(SamplerName(.euler), .stableDiffusion)
    let timetable = try sampler.timetable(steps: 10)
    let start = timetable.start(.ones(shape))
    var evaluations = 0
    let sampling = sampler.sampling(timetable, from: start, noise: TorchNoise(seed: 1)) {
      input, _ in
      evaluations += 1
      return input
    }
    for step in sampling where step.index == 3 { break }
    #expect(evaluations == 4)
    #expect(Array(sampling).count == 10)
  }

  @Test func theResultOfAPerfectModelIsItsPicture() throws {
    let picture = Tensor([0.1, -0.4, 0.9, 0], shape)
    var config = SchedulerConfig.stableDiffusion
    config.predictionType = .sample
    for name in SamplerName.all {
      let sampler = try Sampler(name, config)
      let timetable = try sampler.timetable(steps: 7)
      let noise = TorchNoise(seed: 1)
      let start = timetable.start(from: picture, .ones(shape))
      let steps = Array(sampler.sampling(timetable, from: start, noise: noise) { _, _ in picture })
      #expect(steps.count == timetable.transitions.count)
      for step in steps { expectClose(step.denoised, picture) }
      // Without setAlphaToOne these end at the noise level of timestep 0, sigma 0.03.
      // diffusers' DDIM and PLMS go whole strides, which do not add up to linspace's timesteps.
      if name.sigmas == .linspace, [.ddim, .pndm].contains(name.algorithm) { continue }
      let isNoisy = [.ddim, .pndm, .deis, .tcd].contains(name.algorithm)
      let tolerance: Float = isNoisy ? 0.06 : 1e-5
      expectClose(try #require(steps.last).sample, picture, absolute: tolerance, name.comfyUI)
    }
  }

  @Test func nothingIsRecordedForGradients() throws {
    let sampler = try Sampler(SamplerName(.ddim), .stableDiffusion)
    let timetable = try sampler.timetable(steps: 2)
    let start = Tensor.ones(shape).asVariable()
    for step in sampler.sampling(
      timetable, from: start, noise: TorchNoise(seed: 1),
      model: { x, _ in
        x * 0.5
      })
    {
      #expect(!step.sample.isRecorded && !step.denoised.isRecorded)
    }
  }

  @Test func epsilonModelsAreRefusedAtZeroSNR() throws {
    var config = SchedulerConfig.stableDiffusion
    config.rescaleBetasZeroSnr = true
    config.timestepSpacing = .trailing
    for algorithm in SamplerName.Algorithm.allCases {
      let sampler = try Sampler(SamplerName(algorithm), config)
      if algorithm.hasSigmaSchedules {
        #expect(try sampler.timetable(steps: 5).transitions.count == 5)
      } else {
        #expect(throws: SamplerError.epsilonAtZeroSNR(algorithm)) {
          try sampler.timetable(steps: 5)
        }
      }
    }
  }

  @Test func whatIsNotSupportedIsRefused() {
    var config = SchedulerConfig.stableDiffusion
    config.thresholding = true
    #expect(throws: SamplerError.self) { try Sampler(SamplerName(.ddim), config) }
    config = .stableDiffusion
    config.originalInferenceSteps = 0
    #expect(throws: SamplerError.self) { try Sampler(SamplerName(.lcm), config) }
    config = .stableDiffusion
    config.varianceType = "learned_range"
    #expect(throws: SamplerError.self) { try Sampler(SamplerName(.ddpm), config) }
    #expect(throws: SamplerError.sigmaScheduleNotAvailable(.ddim, .karras)) {
      try Sampler(SamplerName(.ddim, .karras), .stableDiffusion)
    }
    #expect(throws: SamplerError.self) {
      try Sampler(SamplerName(.ddim), .stableDiffusion, eta: .nan)
    }
  }
}
