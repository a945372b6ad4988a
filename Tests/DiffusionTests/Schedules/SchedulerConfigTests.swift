import Diffusion
import Foundation
import Testing

@Suite struct SchedulerConfigTests {
  @Test func missingAndNullKeysTakeDefaults() throws {
    #expect(try decode("{}") == SchedulerConfig())
    let nulls = #"{"beta_schedule": null, "trained_betas": null, "steps_offset": null}"#
    #expect(try decode(nulls) == SchedulerConfig())
  }

  /// The config in the folder of Stable Diffusion 1.5, which names a scheduler we do not have.
  @Test func stableDiffusionIsRead() throws {
    var config = try decode(
      """
      {"_class_name": "PNDMScheduler", "_diffusers_version": "0.6.0", "beta_end": 0.012,
      "beta_schedule": "scaled_linear", "beta_start": 0.00085, "num_train_timesteps": 1000,
      "set_alpha_to_one": false, "skip_prk_steps": true, "steps_offset": 1,
      "trained_betas": null, "clip_sample": false}
      """)
    #expect(config.sampler == nil)
    config._className = nil
    #expect(config == .stableDiffusion)
  }

  @Test func samplerIsTheOneTheConfigNames() throws {
    let config = #"{"_class_name": "DPMSolverMultistepScheduler", "use_karras_sigmas": true"#
    #expect(try decode(config + "}").sampler == SamplerName(.dpmpp2M, .karras))
    #expect(try decode(config + #", "solver_order": 3}"#).sampler == nil)
    #expect(try decode(config + #", "algorithm_type": "sde-dpmsolver++"}"#).sampler == nil)
    #expect(try decode(#"{"_class_name": "DDIMScheduler"}"#).sampler == SamplerName(.ddim))
    #expect(try decode("{}").sampler == nil)
  }

  @Test func unknownNamesAreRefusedWithTheKnownOnes() throws {
    let error = #expect(throws: DecodingError.self) {
      try decode(#"{"prediction_type": "flow_prediction"}"#)
    }
    guard case .dataCorrupted(let context) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(context.codingPath.map(\.stringValue) == ["predictionType"])
    let expected = #"found "flow_prediction", expected one of: epsilon, v_prediction, sample"#
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

  private func decode(_ text: String) throws -> SchedulerConfig {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return try decoder.decode(SchedulerConfig.self, from: Data(text.utf8))
  }
}
