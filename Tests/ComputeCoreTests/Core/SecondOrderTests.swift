import ComputeCore
import TestSupport
import Testing

/// Gradients of gradients against torch's double backward.
@Suite struct SecondOrderTests {
  private static let functions: [String: @Sendable ([Tensor]) -> Tensor] = [
    "conv3x3": { conv2d($0[0], weight: $0[1], bias: $0[2], padding: Padding(1)) },
    "conv3x3_wide": { conv2d($0[0], weight: $0[1], bias: $0[2], padding: Padding(1)) },
    "conv4x4_stride2": {
      conv2d($0[0], weight: $0[1], bias: $0[2], stride: 2, padding: Padding(1))
    },
    "conv1x1": { conv2d($0[0], weight: $0[1], bias: $0[2]) },
    "conv_transpose": { convTranspose2d($0[0], weight: $0[1], stride: 2, padding: Padding(1)) },
    "linear": { linear($0[0], weight: $0[1], bias: $0[2]) },
    "matmul": { matmul($0[0], $0[1]) },
    "leaky_relu": { leakyReLU($0[0]) },
    "relu": { relu($0[0]) },
    "silu": { silu($0[0]) },
    "sigmoid": { sigmoid($0[0]) },
    "tanh": { tanh($0[0]) },
    "exp": { exp($0[0]) },
    "square": { square($0[0]) },
    "norm": { sqrt(square($0[0]).sum(axes: [1]) + 1) },
    "log": { log(square($0[0]) + 1) },
    "add": { $0[0] + $0[1] },
    "subtract": { $0[0] - $0[1] },
    "multiply": { $0[0] * $0[1] },
    "divide": { $0[0] / (square($0[1]) + 1) },
    "mean": { $0[0].mean(axes: [1]) * $0[0].sum(axes: [0, 1]) },
    "average_pool": { square(averagePool2d($0[0], size: 2, stride: 2)) },
    "upsample": { square(upsampledNearest($0[0], scale: 2)) },
    "shapes": {
      let joined = concatenated([$0[0].sliced(axis: 1, 1..<3), $0[1]], axis: 1)
      return square(joined.transposed([0, 2, 1]).reshaped([2, -1]))
    },
    "network": {
      let h = leakyReLU(conv2d($0[0], weight: $0[1], padding: Padding(1)))
      let pooled = averagePool2d(h, size: 2, stride: 2)
      let last = leakyReLU(conv2d(pooled, weight: $0[2], padding: Padding(1)))
      return linear(last.reshaped([2, -1]), weight: $0[3])
    },
  ]

  @Test func gradientsOfGradientsMatchTorch() throws {
    let cases = try Fixture("second_order").cases
    #expect(Set(cases.map(\.name)) == Set(Self.functions.keys))
    for item in cases {
      let function = try #require(Self.functions[item.name])
      let count = (0...).prefix { item.has("x\($0)") }.count
      let xs = try (0..<count).map { try item.tensor("x\($0)").asVariable() }
      let seed = try item.tensor("seed").asVariable()
      let found = recordedGradients(of: function(xs), seed: seed, by: xs)
      var total = Tensor(0)
      for index in 0..<count {
        let gradient = try #require(found[index], "\(item.name): gradient \(index)")
        expectClose(gradient, try item.tensor("g\(index)"), tolerance: 1e-5, item.name)
        total = total + (gradient * (try item.tensor("r\(index)"))).sum()
      }
      let seconds = gradients(of: total)
      for (index, x) in xs.enumerated() where item.has("d\(index)") {
        let second = seconds[x] ?? .zeros(x.shape)
        expectClose(second, try item.tensor("d\(index)"), tolerance: 1e-5, floor: 0.1, item.name)
      }
      let bySeed = try #require(seconds[seed], "\(item.name): gradient by the seed")
      expectClose(bySeed, try item.tensor("dseed"), tolerance: 1e-5, item.name)
    }
  }

  @Test func onlyWantedPathsAreFollowed() {
    let x = Tensor([1, 2], [2]).asVariable()
    let w = Tensor([3, 4], [2]).asVariable()
    let y = (x * w).sum() + softmaxedOnTheSide(w)
    let found = recordedGradients(of: y, by: [x])
    #expect(found[0]?.values == [3, 4])
    let unrelated = Tensor([1], [1]).asVariable()
    #expect(recordedGradients(of: y, by: [unrelated])[0] == nil)
  }

  @Test func theTapeCanBeRunAgain() {
    let x = Tensor([2, -3], [2]).asVariable()
    let y = (square(x) * x).sum()
    let first = recordedGradients(of: y, by: [x])[0]
    let again = gradients(of: y)[x]
    #expect(first?.values == [12, 27] && again?.values == [12, 27])
  }

  /// Softmax has no recorded gradient, which must not matter off the path.
  private func softmaxedOnTheSide(_ w: Tensor) -> Tensor { softmax(w.reshaped([1, 2])).sum() }
}
