import ComputeCore
import Layers
import LoRA
import TestSupport
import Testing

@Suite struct LoRANetworkTests {
  @Test func newAdaptersChangeNothing() throws {
    let unet = try TinyUNet()
    let before = try unet.output()
    var generator = TorchGenerator(seed: 3)
    let network = try LoRANetwork.attach(
      to: unet.model, rank: 2, targets: .all, using: &generator)
    #expect(try unet.output().values == before.values)
    #expect(network.parameters.count == 2 * network.namedAdapters.count)
    #expect(network.namedAdapters.allSatisfy { $0.adapter.scale == 1 })
  }

  @Test func firstValuesAreThoseOfPeft() throws {
    let unet = try TinyUNet()
    var generator = TorchGenerator(seed: 7)
    let network = try LoRANetwork.attach(
      to: unet.model, rank: 3, alpha: 6, targets: .convolutions, using: &generator)
    var again = TorchGenerator(seed: 7)
    for (path, adapter) in network.namedAdapters {
      #expect(adapter.scale == 2)
      #expect(adapter.up.value.values.allSatisfy { $0 == 0 })
      let shape = adapter.down.checkpointShape  // [rank, in, kh, kw]
      let bound = 1 / Float(shape[1...].reduce(1, *)).squareRoot()
      let expected = Tensor.rand(shape, using: &again) * (2 * bound) - bound
      #expect(adapter.down.checkpointValue.values == expected.values, "\(path)")
    }
  }

  @Test func severalNetworksAddUpAndLeaveIndependently() throws {
    let layer = Linear(3, 2)
    var generator = TorchGenerator(seed: 1)
    layer.initialize(using: &generator)
    let holder = Projection(layer)
    let first = try filled(LoRANetwork.attach(to: holder, rank: 1, using: &generator), seed: 2)
    let second = try filled(
      LoRANetwork.attach(to: holder, rank: 2, alpha: 1, using: &generator), seed: 3)
    second.strength = -0.5
    let x = Tensor.randn([4, 3], using: &generator)
    let weight = layer.weight.value
    let changes = [first, second].map { $0.namedAdapters[0].adapter.weightChange() }
    let bias = layer.bias?.value
    expectClose(layer(x), linear(x, weight: weight + changes[0] + changes[1], bias: bias))
    first.detach()
    expectClose(layer(x), linear(x, weight: weight + changes[1], bias: bias))
    #expect(layer.weight.value.values == weight.values)
    second.detach()
    #expect(layer(x).values == linear(x, weight: weight, bias: bias).values)
  }

  @Test(arguments: [Float(1), 0.7])
  func linearGradientsMatchFiniteDifferences(_ strength: Float) {
    let layer = Linear(4, 3)
    layer.weight.value = Tensor(repeating: 0.1, [3, 4])
    layer.bias?.value = Tensor.zeros([3])
    layer.freeze()
    let adapter = LoRALinear(layer, rank: 2, alpha: 3)
    adapter.strength = strength
    layer.adapters = [adapter]
    expectGradient(
      of: { inputs in
        let correction = linear(linear(inputs[0], weight: inputs[1]), weight: inputs[2])
        return linear(inputs[0], weight: layer.weight.value) + correction * (strength * 1.5)
      }, shapes: [[5, 4], [2, 4], [3, 2]], seed: 5)
    expectSameGradients(layer, adapter, x: [5, 4]) { x, down, up in
      linear(x, weight: layer.weight.value)
        + linear(linear(x, weight: down), weight: up) * (strength * 1.5)
    }
  }

  @Test func convolutionGradientsMatchItsMergedKernel() {
    let layer = Conv2d(3, 4, kernelSize: 3, stride: 2, padding: 1)
    layer.weight.value = Tensor(repeating: 0.1, [4, 3, 3, 3])
    layer.bias?.value = Tensor.zeros([4])
    layer.freeze()
    let adapter = LoRAConv2d(layer, rank: 2, alpha: 1)
    layer.adapters = [adapter]
    expectSameGradients(layer, adapter, x: [2, 5, 7, 3]) { x, down, up in
      let change = matmul(up, down.reshaped([2, 27])).reshaped([4, 3, 3, 3]) * 0.5
      return conv2d(x, weight: layer.weight.value + change, stride: 2, padding: Padding(1))
    }
  }

  @Test func badRequestsAreRefused() throws {
    let unet = try TinyUNet()
    var generator = TorchGenerator(seed: 0)
    for rank in [0, -1, 4097] {
      #expect(throws: LoRAError.self) {
        try LoRANetwork.attach(to: unet.model, rank: rank, using: &generator)
      }
    }
    for alpha in [0, -1, Float.nan, .infinity] {
      #expect(throws: LoRAError.self) {
        try LoRANetwork.attach(to: unet.model, rank: 1, alpha: alpha, using: &generator)
      }
    }
    #expect(throws: LoRAError.noTargets(.feedForward)) {
      try LoRANetwork.attach(
        to: Projection(Linear(2, 2)), rank: 1, targets: .feedForward, using: &generator)
    }
    #expect(try unet.output().values == TinyUNet().output().values)
  }

  @Test func mergingIntoAnotherModelIsRefusedWhole() throws {
    var generator = TorchGenerator(seed: 0)
    let network = try LoRANetwork.attach(
      to: Projection(Linear(3, 2)), rank: 1, using: &generator)
    #expect(throws: LoRAError.self) { try network.merge(into: Projection(Linear(2, 3))) }
  }
}

/// One layer with the name of an attention's.
private final class Projection: Module {
  let toQ: Linear
  init(_ layer: Linear) { toQ = layer }
}

private func filled(_ network: LoRANetwork, seed: UInt64) -> LoRANetwork {
  var generator = TorchGenerator(seed: seed)
  for parameter in network.parameters {
    parameter.value = Tensor.randn(parameter.shape, using: &generator)
  }
  return network
}

/// Expects a frozen layer with an adapter to compute a function of `x`, `down` and `up`, with its
/// gradients, and none by the layer's own weight.
private func expectSameGradients(
  _ layer: some AdaptableLayer, _ adapter: some LowRankAdapter, x shape: Shape,
  sourceLocation: SourceLocation = #_sourceLocation,
  _ function: (_ x: Tensor, _ down: Tensor, _ up: Tensor) -> Tensor
) {
  var generator = TorchGenerator(seed: 9)
  adapter.down.value = Tensor.randn(adapter.down.shape, using: &generator)
  adapter.up.value = Tensor.randn(adapter.up.shape, using: &generator)
  let x = Tensor.randn(shape, using: &generator).asVariable()
  let y = (layer as? Linear)?(x) ?? (layer as? Conv2d)?(x) ?? x
  let expected = function(x, adapter.down.value, adapter.up.value)
  let seed = Tensor.randn(y.shape, using: &generator)
  let (found, wanted) = (gradients(of: y, seed: seed), gradients(of: expected, seed: seed))
  expectClose(y, expected, tolerance: 5e-6, sourceLocation: sourceLocation)
  for variable in [x, adapter.down.value, adapter.up.value] {
    guard let a = found[variable], let b = wanted[variable] else {
      Issue.record("a gradient is missing", sourceLocation: sourceLocation)
      continue
    }
    expectClose(a, b, tolerance: 1e-5, sourceLocation: sourceLocation)
  }
  #expect(found[layer.weight.value] == nil, sourceLocation: sourceLocation)
}
