import ComputeCore
import TestSupport
import Testing

@Suite struct DepthwiseConvolutionTests {
  @Test func matchesTorch() throws {
    for item in try Fixture("depthwise_conv2d").cases {
      let padding = Padding(
        top: item.int("top"), bottom: item.int("bottom"), left: item.int("left"),
        right: item.int("right"))
      try expectMatch(
        item, inputs: ["x", "weight", "bias"],
        arrange: { $0 == "weight" ? $1.transposed([0, 2, 3, 1]) : $1 },
        {
          depthwiseConv2d(
            $0[0], weight: $0[1], bias: $0[2], stride: item.int("stride"), padding: padding)
        })
    }
  }

  @Test func gradientsMatchFiniteDifferences() {
    expectGradient(
      of: { depthwiseConv2d($0[0], weight: $0[1], bias: $0[2], stride: 2, padding: Padding(1)) },
      shapes: [[2, 4, 5, 3], [3, 3, 3, 1], [3]])
  }

  @Test func anEmptyBatchIsAllowed() {
    let y = depthwiseConv2d(Tensor.zeros([0, 4, 4, 3]), weight: Tensor.ones([3, 3, 3, 1]))
    #expect(y.shape == [0, 2, 2, 3])
  }

  @Test func resultsDoNotDependOnThreads() {
    var generator = TorchGenerator(seed: 1)
    let x = Tensor.randn([3, 17, 19, 33], using: &generator).asVariable()
    let weight = Tensor.randn([33, 5, 5, 1], using: &generator).asVariable()
    expectThreadIndependence {
      let y = depthwiseConv2d(x, weight: weight, stride: 2, padding: Padding(2))
      let found = gradients(of: y)
      return [y, found[x], found[weight]].compactMap(\.self)
    }
  }
}
