import ComputeCore
import TestSupport
import Testing

/// Convolutions of enlarged pictures against the two operations one after the other.
@Suite struct UpsampledConvolutionTests {
  /// Pictures, height, width, inputs, outputs: below and above what Winograd's algorithm is used for.
  static let sizes = [
    [1, 3, 2, 5, 4], [2, 8, 8, 16, 16], [1, 9, 11, 17, 33], [3, 7, 13, 33, 19], [1, 4, 20, 70, 40],
    [2, 16, 16, 520, 16], [1, 8, 9, 520, 513],
  ]

  private func composed(_ x: Tensor, _ weight: Tensor, _ bias: Tensor) -> Tensor {
    conv2d(
      upsampledNearest(x, scale: 2), weight: weight, bias: bias, padding: Padding(1))
  }

  @Test(arguments: sizes, MatmulPrecision.allCases)
  func agreesWithBothOperations(_ size: [Int], _ precision: MatmulPrecision) {
    let x = Noise.tensor(Array(size[0..<4]), seed: 1)
    let weight = Noise.tensor([size[4], 3, 3, size[3]], seed: 2)
    let bias = Noise.tensor([size[4]], seed: 3)
    let expected = composed(x, weight, bias)
    let found = Compute.with {
      $0.precision = precision
    } _: {
      (
        upsampledConv2d(x, weight: weight, bias: bias),
        upsampledConv2d(x.cast(to: .bfloat16), weight: weight, bias: bias)
      )
    }
    #expect(found.0.shape == expected.shape)
    expectClose(
      found.0, expected.values.map(Double.init), tolerance: precision == .bfloat16 ? 2e-2 : 6e-6)
    expectClose(found.1, expected.values.map(Double.init), tolerance: 2e-2)
  }

  @Test func hasTheGradientsOfBoth() throws {
    let x = Noise.tensor([2, 8, 9, 16], seed: 1).asVariable()
    let weight = Noise.tensor([17, 3, 3, 16], seed: 2).asVariable()
    let bias = Noise.tensor([17], seed: 3).asVariable()
    let y = upsampledConv2d(x, weight: weight, bias: bias)
    let dy = Noise.tensor(y.shape, seed: 4)
    let (found, expected) = (
      gradients(of: y, seed: dy), gradients(of: composed(x, weight, bias), seed: dy)
    )
    for variable in [x, weight, bias] {
      #expect(try #require(found[variable]).values == #require(expected[variable]).values)
    }
  }
}
