import ComputeCore
import TestSupport
import Testing

@Suite struct PoolingTests {
  @Test func matchesTorch() throws {
    for item in try Fixture("max_pool2d").cases {
      try expectMatch(item, inputs: ["x"]) {
        maxPool2d(
          $0[0], size: item.int("kernel_size"), stride: item.int("stride"),
          padding: item.int("padding"))
      }
    }
    for item in try Fixture("avg_pool2d").cases {
      try expectMatch(item, inputs: ["x"]) {
        averagePool2d($0[0], size: item.int("kernel_size"), stride: item.int("stride"))
      }
    }
    for item in try Fixture("global_avg_pool2d").cases {
      try expectMatch(item, inputs: ["x"]) { globalAveragePool($0[0]) }
    }
  }

  @Test func gradientsMatchFiniteDifferences() {
    let spread = Tensor((0..<150).map { Float($0 * 67 % 150) * 0.05 }, [2, 5, 5, 3])
    expectGradient(
      of: { maxPool2d($0[0], size: 3, stride: 2, padding: 1) }, shapes: [[2, 5, 5, 3]],
      domain: { _ in spread })
    expectGradient(
      of: { averagePool2d($0[0], size: 3, stride: 2, padding: 1) }, shapes: [[2, 5, 5, 3]])
    expectGradient(of: { globalAveragePool($0[0]) }, shapes: [[2, 3, 2, 7]])
  }

  @Test func firstOfEqualPixelsGetsTheGradient() {
    let x = Tensor.ones([1, 2, 2, 1]).asVariable()
    #expect(gradients(of: maxPool2d(x, size: 2, stride: 2))[x]?.values == [1, 0, 0, 0])
  }

  @Test func resultsDoNotDependOnThreads() {
    var generator = TorchGenerator(seed: 1)
    let x = Tensor.randn([3, 33, 35, 17], using: &generator).asVariable()
    expectThreadIndependence {
      let results = [
        maxPool2d(x, size: 3, stride: 2, padding: 1), averagePool2d(x, size: 2, stride: 2),
      ]
      return results + results.compactMap { gradients(of: $0)[x] }
    }
  }
}
