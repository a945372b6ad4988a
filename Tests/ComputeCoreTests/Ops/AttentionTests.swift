import ComputeCore
import TestSupport
import Testing

@Suite struct AttentionTests {
  @Test func matchesTorch() throws {
    for item in try Fixture("attention").cases {
      let mask = try item.has("mask") ? item.tensor("mask") : nil
      let isCausal: Bool = try item.parameter("causal")
      try expectMatch(item, inputs: ["q", "k", "v"], tolerance: 5e-6, floor: 1) {
        attention(
          $0[0], $0[1], $0[2], heads: item.int("heads"), mask: mask, isCausal: isCausal)
      }
    }
  }

  @Test(arguments: [false, true])
  func gradientMatchesFiniteDifferences(_ isCausal: Bool) {
    expectGradient(
      of: { attention($0[0], $0[1], $0[2], heads: 2, mask: nil, isCausal: isCausal) },
      shapes: [[2, 5, 6], [2, 5, 6], [2, 5, 6]])
  }

  @Test func resultsDoNotDependOnThreads() {
    var generator = TorchGenerator(seed: 41)
    let q = Tensor.randn([2, 130, 64], using: &generator).asVariable()
    let k = Tensor.randn([2, 77, 64], using: &generator).asVariable()
    let v = Tensor.randn([2, 77, 64], using: &generator).asVariable()
    expectThreadIndependence {
      let y = attention(q, k, v, heads: 4, mask: nil, isCausal: false)
      let found = gradients(of: y, seed: y.detached())
      return [y] + [q, k, v].compactMap { found[$0] }
    }
  }
}
