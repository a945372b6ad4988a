import Diffusion
import Foundation
import Testing

@Suite struct SchedulerConfigTests {
  @Test func missingAndNullKeysTakeDefaults() throws {
    #expect(try decode("{}") == SchedulerConfig())
    let nulls = #"{"beta_schedule": null, "trained_betas": null, "steps_offset": null}"#
    #expect(try decode(nulls) == SchedulerConfig())
  }

  /// The config in the folder of Stable Diffusion 1.5.
  @Test func stableDiffusionIsRead() throws {
    var config = try decode(
      """
      {"_class_name": "PNDMScheduler", "_diffusers_version": "0.6.0", "beta_end": 0.012,
      "beta_schedule": "scaled_linear", "beta_start": 0.00085, "num_train_timesteps": 1000,
      "set_alpha_to_one": false, "skip_prk_steps": true, "steps_offset": 1,
      "trained_betas": null, "clip_sample": false}
      """)
    #expect(config.sampler == SamplerName(.pndm))
    #expect(config.skipPrkSteps)
    config._className = nil
    config.skipPrkSteps = false
    #expect(config == .stableDiffusion)
  }

  @Test func samplerIsTheOneTheConfigNames() throws {
    let config = #"{"_class_name": "DPMSolverMultistepScheduler", "use_karras_sigmas": true"#
    #expect(try decode(config + "}").sampler == SamplerName(.dpmpp2M, .karras))
    let third = #", "solver_order": 3}"#
    let sde = #", "algorithm_type": "sde-dpmsolver++""#
    #expect(try decode(config + third).sampler == SamplerName(.dpmpp3M, .karras))
    #expect(try decode(config + sde + "}").sampler == SamplerName(.dpmpp2MSDE, .karras))
    #expect(try decode(config + sde + third).sampler == SamplerName(.dpmpp3MSDE, .karras))
    #expect(try decode(config + #", "solver_order": 1}"#).sampler == nil)
    #expect(try decode(config + #", "algorithm_type": "dpmsolver"}"#).sampler == nil)
    let ancestral = #"{"_class_name": "EulerAncestralDiscreteScheduler", "#
    #expect(
      try decode(ancestral + #""use_karras_sigmas": true}"#).sampler == SamplerName(.eulerAncestral)
    )
    let beta = #"{"_class_name": "UniPCMultistepScheduler", "use_beta_sigmas": true}"#
    #expect(try decode(beta).sampler == SamplerName(.uniPC, .beta))
    #expect(try decode(#"{"_class_name": "DDIMScheduler"}"#).sampler == SamplerName(.ddim))
    #expect(try decode("{}").sampler == nil)
  }

  /// Every class that a folder can name, in its own config as diffusers writes it.
  @Test func everyClassOfDiffusersIsKnown() throws {
    let classes = Set(TrajectoryTests.cases.map { $0.parameters.config._className ?? "" })
    #expect(classes.count == 16)
    for name in classes {
      #expect(try decode(#"{"_class_name": "\#(name)"}"#).sampler != nil, "\(name)")
    }
  }

  @Test func flowSchedulersNeedNoPredictionType() throws {
    let config = try decode(#"{"_class_name": "FlowMatchEulerDiscreteScheduler", "shift": 3.0}"#)
    #expect(config.predictionType == .flow && config.shift == 3)
    #expect(config.sampler == SamplerName(.euler))
    #expect(throws: SamplerError.notForFlow(.ddim)) { try Sampler(SamplerName(.ddim), config) }
  }

  @Test(arguments: [
    #""use_flow_sigmas": true"#, #""use_dynamic_shifting": true"#, #""solver_order": 4"#,
    #""shift": 0"#, #""thresholding": true"#,
    #""interpolation_type": "log_linear""#, #""timestep_type": "continuous""#,
    #""lambda_min_clipped": -5.1"#,
  ]) func whatWouldChangeThePictureIsRefused(_ setting: String) throws {
    let config = try decode("{\(setting)}")
    #expect(throws: SamplerError.self) { try NoiseSchedule(config) }
  }

  @Test func unknownNamesAreRefusedWithTheKnownOnes() throws {
    let error = #expect(throws: DecodingError.self) {
      try decode(#"{"prediction_type": "velocity"}"#)
    }
    guard case .dataCorrupted(let context) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(context.codingPath.map(\.stringValue) == ["predictionType"])
    let expected =
      #"found "velocity", expected one of: epsilon, v_prediction, sample, flow_prediction"#
    #expect(context.debugDescription == expected)
  }

  @Test func writtenConfigsAreReadBack() throws {
    var config = SchedulerConfig.stableDiffusion
    config._className = "EulerDiscreteScheduler"
    config.predictionType = .v
    config.timestepSpacing = .trailing
    config.rescaleBetasZeroSnr = true
    config.clipSampleRange = 2
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = .convertToSnakeCase
    let text = try #require(String(bytes: encoder.encode(config), encoding: .utf8))
    for key in ["_class_name", "rescale_betas_zero_snr", "beta_start", "num_train_timesteps"] {
      #expect(text.contains("\"\(key)\":"))
    }
    #expect(try decode(text) == config)
  }

  /// diffusers writes this key of DPM++ as Python does, which is not JSON.
  @Test func infinityIsRead() throws {
    let config = #"{"_class_name": "DPMSolverMultistepScheduler", "lambda_min_clipped": "#
    #expect(try decode(config + "-Infinity}").sampler == SamplerName(.dpmpp2M))
  }

  private func decode(_ text: String) throws -> SchedulerConfig {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    decoder.allowsJSON5 = true
    return try decoder.decode(SchedulerConfig.self, from: Data(text.utf8))
  }
}
