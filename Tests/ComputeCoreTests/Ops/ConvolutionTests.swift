import ComputeCore
import TestSupport
import Testing

@Suite struct ConvolutionTests {
  /// torch's `[out, in, kh, kw]` (or `[in, out, kh, kw]`) to channels last.
  static func channelsLast(_ key: String, _ x: Tensor) -> Tensor {
    key == "weight" ? x.transposed([0, 2, 3, 1]) : x
  }

  @Test func conv2dMatchesTorch() throws {
    for item in try Fixture("conv2d").cases {
      let padding = Padding(
        top: item.int("padding_top"), bottom: item.int("padding_bottom"),
        left: item.int("padding_left"), right: item.int("padding_right"))
      let keys = ["x", "weight"] + (item.has("bias") ? ["bias"] : [])
      try expectMatch(item, inputs: keys, arrange: ConvolutionTests.channelsLast) {
        conv2d(
          $0[0], weight: $0[1], bias: $0.count > 2 ? $0[2] : nil, stride: item.int("stride"),
          padding: padding)
      }
    }
  }

  @Test func transposedConvolutionMatchesTorch() throws {
    for item in try Fixture("conv_transpose2d").cases {
      let keys = ["x", "weight"] + (item.has("bias") ? ["bias"] : [])
      try expectMatch(item, inputs: keys, arrange: ConvolutionTests.channelsLast) {
        convTranspose2d(
          $0[0], weight: $0[1], bias: $0.count > 2 ? $0[2] : nil, stride: item.int("stride"),
          padding: Padding(item.int("padding")), outputPadding: item.int("output_padding"))
      }
    }
  }

  @Test(arguments: [(1, 1, 0), (3, 1, 1), (3, 2, 1), (4, 2, 1), (5, 1, 2)])
  func gradientMatchesFiniteDifferences(_ size: Int, _ stride: Int, _ padding: Int) {
    expectGradient(
      of: {
        conv2d($0[0], weight: $0[1], bias: $0[2], stride: stride, padding: Padding(padding))
      }, shapes: [[2, 5, 6, 3], [4, size, size, 3], [4]])
  }

  /// Wide enough for packed factors and several pieces; the value against a loop in 64 bits.
  @Test(arguments: [(3, 1, 33, 40), (3, 2, 48, 17), (1, 1, 128, 65)])
  func wideConvolutionMatchesFloat64(_ size: Int, _ stride: Int, _ from: Int, _ to: Int) {
    var generator = TorchGenerator(seed: 21)
    let (h, w, padding) = (11, 9, size / 2)
    let x = Tensor.randn([2, h, w, from], using: &generator)
    let weight = Tensor.randn([to, size, size, from], using: &generator)
    let y = conv2d(x, weight: weight, stride: stride, padding: Padding(padding))
    let (xv, wv) = (x.values, weight.values)
    var expected: [Double] = []
    for n in 0..<2 {
      for oy in 0..<y.shape[1] {
        for ox in 0..<y.shape[2] {
          for o in 0..<to {
            var sum = 0.0
            for ky in 0..<size {
              for kx in 0..<size {
                let (iy, ix) = (oy * stride + ky - padding, ox * stride + kx - padding)
                guard (0..<h).contains(iy), (0..<w).contains(ix) else { continue }
                for c in 0..<from {
                  sum +=
                    Double(xv[((n * h + iy) * w + ix) * from + c])
                    * Double(wv[((o * size + ky) * size + kx) * from + c])
                }
              }
            }
            expected.append(sum)
          }
        }
      }
    }
    expectClose(y, expected, tolerance: 2e-6)
  }

  @Test func resultsDoNotDependOnThreads() {
    var generator = TorchGenerator(seed: 22)
    let x = Tensor.randn([3, 16, 17, 64], using: &generator).asVariable()
    let weight = Tensor.randn([96, 3, 3, 64], using: &generator).asVariable()
    let bias = Tensor.randn([96], using: &generator).asVariable()
    for stride in [1, 2] {
      expectThreadIndependence {
        let y = conv2d(x, weight: weight, bias: bias, stride: stride, padding: Padding(1))
        let found = gradients(of: y, seed: y.detached())
        return [y] + [x, weight, bias].compactMap { found[$0] }
      }
    }
  }
}
