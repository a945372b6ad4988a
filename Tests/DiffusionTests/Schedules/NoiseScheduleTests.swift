import ComputeCore
import Diffusion
import Testing

@Suite struct NoiseScheduleTests {
  static let names = ["linear", "scaled_linear", "squaredcos_cap_v2"]
  static let cases = names + names.map { $0 + "_zero_snr" }

  /// torch multiplies in 64 bits and rounds as we do, so the tables are equal to the last bit.
  @Test(arguments: names) func tablesEqualDiffusers(_ name: String) throws {
    let fixture = try Fixture("schedules")
    let schedule = try NoiseScheduleTests.schedule(name)
    #expect(schedule.betas == (try fixture.values("\(name).betas")))
    #expect(schedule.alphasCumprod == (try fixture.values("\(name).alphas_cumprod")))
  }

  /// torch's vectorized square root is an ulp off in one of six numbers, which small differences
  /// of nearly equal numbers enlarge.
  @Test(arguments: names) func rescaledTablesAreCloseToDiffusers(_ name: String) throws {
    let fixture = try Fixture("schedules")
    let schedule = try NoiseScheduleTests.schedule(name + "_zero_snr")
    expectClose(schedule.betas, try fixture.values("\(name)_zero_snr.betas"), absolute: 5e-6)
    expectClose(
      schedule.alphasCumprod, try fixture.values("\(name)_zero_snr.alphas_cumprod"),
      absolute: 5e-7)
  }

  @Test(arguments: names) func zeroTerminalSNRLeavesNothingAtTheEnd(_ name: String) throws {
    let schedule = try NoiseScheduleTests.schedule(name + "_zero_snr")
    #expect(schedule.alphasCumprod.last == 0)
    #expect(schedule.snr(999) == 0)
    expectClose([schedule.sigmas[999]], [4096], relative: 1e-6)
  }

  @Test(arguments: cases) func noisySamplesAndVelocitiesEqualDiffusers(_ name: String) throws {
    let fixture = try Fixture("add_noise")
    let schedule = try NoiseScheduleTests.schedule(name)
    let timesteps = try fixture.values("\(name).timesteps").map { Int($0) }
    let (x0, noise) = (try fixture.tensor("\(name).x"), try fixture.tensor("\(name).noise"))
    let noisy = try fixture.tensor("\(name).noisy")
    let velocity = try fixture.tensor("\(name).velocity")
    // Rescaled tables differ by an ulp, which the root of a 1 − ā of nearly 0 enlarges.
    let tolerance: Float = name.hasSuffix("_zero_snr") ? 3e-5 : 1e-6
    expectClose(schedule.addNoise(x0, noise, timesteps: timesteps), noisy, absolute: tolerance)
    expectClose(schedule.velocity(x0, noise, timesteps: timesteps), velocity, absolute: tolerance)
    expectClose(
      schedule.target(.v, x0, noise, timesteps: timesteps), velocity, absolute: tolerance)
    expectClose(schedule.target(.epsilon, x0, noise, timesteps: timesteps), noise)
    expectClose(schedule.target(.sample, x0, noise, timesteps: timesteps), x0)
  }

  /// The float32 sum `√ā·x₀ + √(1 − ā)·noise` loses `x₀` at high noise, hence timestep 700.
  @Test(arguments: PredictionType.allCases) func targetsTurnBackIntoThePicture(
    _ prediction: PredictionType
  ) throws {
    let schedule = try NoiseScheduleTests.schedule("scaled_linear")
    let x0 = Tensor([-1, -0.25, 0.5, 1], [2, 1, 1, 2])
    let noise = Tensor([0.3, -2, 1.5, 0.1], [2, 1, 1, 2])
    let timesteps = [3, 700]
    let sample = schedule.addNoise(x0, noise, timesteps: timesteps)
    let output = schedule.target(prediction, x0, noise, timesteps: timesteps)
    let denoised = schedule.denoised(
      prediction, output: output, sample: sample, timesteps: timesteps)
    expectClose(denoised, x0, absolute: 2e-6)
  }

  @Test func wrongNumbersAreRefused() {
    var config = SchedulerConfig()
    config.numTrainTimesteps = 1
    #expect(throws: SamplerError.self) { try NoiseSchedule(config) }
    config = SchedulerConfig()
    config.betaEnd = .nan
    #expect(throws: SamplerError.self) { try NoiseSchedule(config) }
    config = SchedulerConfig()
    config.betaStart = 1e-12
    #expect(throws: SamplerError.self) { try NoiseSchedule(config) }
    config.betaStart = 0.9
    config.betaEnd = 0.99
    #expect(throws: SamplerError.self) { try NoiseSchedule(config) }
    config = SchedulerConfig()
    config.trainedBetas = [0.1, 0.2]
    #expect(throws: SamplerError.self) { try NoiseSchedule(config) }
    config.numTrainTimesteps = 2
    #expect((try? NoiseSchedule(config))?.betas == [0.1, 0.2])
  }

  /// The schedule of a fixture case: Stable Diffusion's range for `scaled_linear`, else DDPM's.
  static func schedule(_ name: String) throws -> NoiseSchedule {
    var config = SchedulerConfig()
    config.rescaleBetasZeroSnr = name.hasSuffix("_zero_snr")
    let plain = config.rescaleBetasZeroSnr ? String(name.dropLast(9)) : name
    config.betaSchedule = try #require(BetaSchedule(rawValue: plain))
    if config.betaSchedule == .scaledLinear {
      config.betaStart = 0.00085
      config.betaEnd = 0.012
    }
    return try NoiseSchedule(config)
  }
}
