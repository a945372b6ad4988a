import Checkpoints
import ComputeCore
import Layers
import Models
import TestSupport
import Testing

@Suite struct CheckpointedAdapterTests {
  /// Adds a learnt multiple of the layer's own output.
  private final class Scaling: LinearAdapter {
    let scale = Parameter([1], .ones)
    let weight: Tensor
    var parameters: [Parameter] { [scale] }

    init(_ layer: Linear) {
      weight = layer.weight.value.detached()
      scale.value = Tensor([0.3], [1])
    }

    func callAsFunction(_ x: Tensor) -> Tensor { linear(x, weight: weight) * scale.value }
  }

  @Test func adaptersGetTheSameGradientsWithCheckpointing() throws {
    let fixture = try ModelFixture("unet_bundled")
    let model = try UNet2DConditionModel.load(folder: fixture.path)
    model.freeze()
    for (path, module) in model.namedModules() where path.hasSuffix("to_q") {
      if let layer = module as? Linear { layer.adapters.append(Scaling(layer)) }
    }
    let parameters = model.trainableParameters()
    #expect(parameters.count == 2 * 7)  // self and cross attention in 2 + 1 + 4 transformers
    func found() throws -> (y: [Float], gradients: [[Float]]) {
      let y = model(
        try fixture.tensor("sample"), timesteps: [7, 8],
        encoderHiddenStates: try fixture.tensor("encoder_hidden_states"))
      let gradients = gradients(of: y, seed: try fixture.tensor("dy"))
      return (y.values, try parameters.map { try #require(gradients[$0.value]).values })
    }
    let kept = try found()
    #expect(kept.gradients.joined().contains { $0 != 0 })
    let repeated = try found()
    #expect(repeated.y == kept.y && repeated.gradients == kept.gradients)
    model.usesGradientCheckpointing = true
    let again = try found()
    #expect(again.y == kept.y)
    // Gradients are added up in another order, and each of these numbers is a sum that cancels.
    for (a, b) in zip(kept.gradients, again.gradients) {
      expectClose(Tensor(a, [1]), Tensor(b, [1]), tolerance: 5e-5)
    }
  }
}
