import Checkpoints
import ComputeCore
import Foundation
import Layers
import Models
import TestSupport
import Testing

private let names = [
  "unet_sd1", "unet_sd2", "unet_odd_size", "unet_some_levels", "unet_bundled", "unet_no_text",
]

@Suite struct UNetParityTests {
  private struct Run {
    let y: Tensor
    let sample: Tensor
    let text: Tensor?
  }

  private func run(_ model: UNet2DConditionModel, _ fixture: ModelFixture) throws -> Run {
    let sample = try fixture.tensor("sample").asVariable()
    let text = try fixture.optionalTensor("encoder_hidden_states")?.asVariable()
    let y = model(
      sample, timesteps: try fixture.io.int32s("timestep").map(Float.init),
      encoderHiddenStates: text,
      encoderAttentionMask: try fixture.optionalTensor("encoder_attention_mask"))
    return Run(y: y, sample: sample, text: text)
  }

  @Test(arguments: names)
  func outputsAndGradientsMatchDiffusers(_ name: String) throws {
    let fixture = try ModelFixture(name)
    let model = try UNet2DConditionModel.load(folder: fixture.path)
    let result = try run(model, fixture)
    expectClose(result.y, try fixture.tensor("y"), tolerance: 1e-5, name)
    let found = gradients(of: result.y, seed: try fixture.tensor("dy"))
    expectClose(
      try #require(found[result.sample]), try fixture.tensor("d_sample"), tolerance: 1e-4,
      "\(name) d_sample")
    if let text = result.text {
      expectClose(
        try #require(found[text]), try fixture.tensor("d_encoder_hidden_states"),
        tolerance: 1e-4, "\(name) d_encoder_hidden_states")
    }
    try fixture.expectGradients(found, of: model)
  }

  @Test(arguments: ["unet_sd1", "unet_no_text"])
  func checkpointingChangesNothing(_ name: String) throws {
    let fixture = try ModelFixture(name)
    let model = try UNet2DConditionModel.load(folder: fixture.path)
    model.usesGradientCheckpointing = true
    let result = try run(model, fixture)
    expectClose(result.y, try fixture.tensor("y"), tolerance: 1e-4)
    let found = gradients(of: result.y, seed: try fixture.tensor("dy"))
    expectClose(
      try #require(found[result.sample]), try fixture.tensor("d_sample"), tolerance: 1e-4)
    try fixture.expectGradients(found, of: model)
  }

  @Test func frozenWeightsGetNoGradientButPassItOn() throws {
    let fixture = try ModelFixture("unet_sd2")
    let model = try UNet2DConditionModel.load(folder: fixture.path)
    model.freeze()
    #expect(model.trainableParameters().isEmpty)
    let result = try run(model, fixture)
    let found = gradients(of: result.y, seed: try fixture.tensor("dy"))
    expectClose(
      try #require(found[result.sample]), try fixture.tensor("d_sample"), tolerance: 1e-4)
    #expect(model.namedParameters().allSatisfy { found[$0.parameter.value] == nil })
  }

  @Test func oneTimestepServesAllPictures() throws {
    let fixture = try ModelFixture("unet_no_text")
    let model = try UNet2DConditionModel.load(folder: fixture.path)
    let sample = try fixture.tensor("sample")
    let each = model(sample, timesteps: [5, 5, 5])
    #expect(model(sample, timesteps: [5]).values == each.values)
  }

  @Test func threadsDoNotChangeTheResult() throws {
    let fixture = try ModelFixture("unet_bundled")
    let model = try UNet2DConditionModel.load(folder: fixture.path)
    let sample = try fixture.tensor("sample")
    let text = try fixture.tensor("encoder_hidden_states")
    expectThreadIndependence {
      [model(sample, timesteps: [7, 8], encoderHiddenStates: text)]
    }
  }
}
