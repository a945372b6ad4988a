import ComputeCore
import Layers
import TestSupport
import Testing

@Suite struct InitializationTests {
  /// A layer that was initialised from a seed equals torch's of that seed.
  private func expectTorch(_ module: some Module, _ name: String) throws {
    var generator = TorchGenerator(seed: 7)
    module.initialize(using: &generator)
    let fixture = try LayerFixture()
    for (key, parameter) in module.namedParameters() {
      expectClose(
        parameter.checkpointValue, try fixture.tensor("init_\(name).param.\(key)"),
        tolerance: 1e-6, "\(name) \(key)")
    }
  }

  @Test func layersStartAsTorchs() throws {
    try expectTorch(Linear(5, 7), "linear")
    try expectTorch(Conv2d(3, 4, kernelSize: 3), "conv2d")
    try expectTorch(ConvTranspose2d(3, 5, kernelSize: 4), "conv_transpose2d")
    try expectTorch(Embedding(6, 4), "embedding")
  }

  @Test func pointwiseLayersDrawAsLinearOnes() {
    var generator = TorchGenerator(seed: 1)
    let linear = Linear(5, 7)
    linear.initialize(using: &generator)
    generator = TorchGenerator(seed: 1)
    let pointwise = Linear(5, 7, isPointwise: true)
    pointwise.initialize(using: &generator)
    #expect(pointwise.weight.value.values == linear.weight.value.values)
    #expect(pointwise.weight.checkpointShape == [7, 5, 1, 1])
  }

  @Test func normsStartAsIdentity() {
    let norm = GroupNorm(4, groups: 2, eps: 1e-5)
    #expect(norm.weight.value.values == [1, 1, 1, 1])
    #expect(norm.bias.value.values == [0, 0, 0, 0])
  }
}
