import ComputeCore
import TestSupport
import Testing

@Suite struct LossesTests {
  @Test func elementwiseLossesMatchTorch() throws {
    for item in try Fixture("mse_loss").cases {
      try expectMatch(item, inputs: ["x", "target"]) { meanSquaredError($0[0], $0[1]) }
    }
    for item in try Fixture("l1_loss").cases {
      try expectMatch(item, inputs: ["x", "target"]) { meanAbsoluteError($0[0], $0[1]) }
    }
    for item in try Fixture("bce_with_logits_loss").cases {
      let target = try item.tensor("target")
      try expectMatch(item, inputs: ["x"]) { bceWithLogits($0[0], target) }
    }
  }

  @Test func crossEntropyMatchesTorch() throws {
    for item in try Fixture("cross_entropy_loss").cases {
      let ids = try item.integers("ids")
      try expectMatch(item, inputs: ["x"]) { crossEntropy($0[0], ids: ids) }
    }
  }

  @Test func gradientsMatchFiniteDifferences() {
    expectGradient(of: { meanSquaredError($0[0], $0[1]) }, shapes: [[17], [17]])
    let weights = Tensor([0.5, 2], [2, 1])
    expectGradient(
      of: { meanSquaredError($0[0], $0[1], weights: weights) }, shapes: [[2, 7], [2, 7]])
    let target = Tensor([0, 1, 0.3, 0.9, 1, 0, 0.5], [7])
    expectGradient(of: { bceWithLogits($0[0], target) }, shapes: [[7]])
    expectGradient(of: { crossEntropy($0[0], ids: [2, 0]) }, shapes: [[2, 5]])
  }

  @Test func weightsScaleItemsAndTheCountStays() {
    let x = Tensor([1, 1, 2, 2], [2, 2])
    let loss = meanSquaredError(x, .zeros([2, 2]), weights: Tensor([1, 0.5], [2, 1]))
    #expect(loss.item == 1.5)  // (1 + 1 + 2 + 2) / 4
  }

  @Test func longSumsKeepPrecisionAndDoNotDependOnThreads() {
    let x = Tensor(repeating: 0.1, [1_000_001]).asVariable()
    expectClose(meanSquaredError(x, .zeros(x.shape)), [Double(Float(0.1)) * Double(Float(0.1))])
    var generator = TorchGenerator(seed: 1)
    let logits = Tensor.randn([3_000, 17], using: &generator).asVariable()
    let ids = generator.integers(in: 0..<17, count: 3_000).map(Int32.init)
    expectThreadIndependence {
      let losses = [
        crossEntropy(logits, ids: ids), meanAbsoluteError(logits, .zeros(logits.shape)),
        bceWithLogits(logits, .zeros(logits.shape)),
      ]
      return losses + losses.compactMap { gradients(of: $0)[logits] }
    }
  }
}
