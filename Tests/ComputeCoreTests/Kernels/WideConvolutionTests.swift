import ComputeCore
import Testing

/// Convolutions with kernels so many that, frozen and in `float32`, they are transformed for Winograd's
/// algorithm when they are used: some numbers of each result against sums in Float64.
@Suite struct WideConvolutionTests {
  /// Height and width of pictures: too small for the algorithm, for tiles of 2x2, for tiles of 4x4.
  static let sizes = [(5, 6), (8, 8), (7, 9), (16, 16), (13, 15), (33, 18)]

  @Test(arguments: sizes)
  func agreesWithFloat64Sums(_ height: Int, _ width: Int) throws {
    let (images, inputs, outputs) = (2, 513, 520)
    let x = Noise.tensor([images, height, width, inputs], seed: 1).asVariable()
    let weight = Noise.tensor([outputs, 3, 3, inputs], seed: 2)
    let bias = Noise.tensor([outputs], seed: 3)
    let dy = Noise.tensor([images, height, width, outputs], seed: 4)
    let y = conv2d(x, weight: weight, bias: bias, padding: Padding(1))
    let dx = try #require(gradients(of: y, seed: dy)[x])
    let (xs, ws, bs, dys, ys, dxs) = (
      x.values, weight.values, bias.values, dy.values, y.values, dx.values
    )
    for sample in 0..<300 {
      let image = sample % images
      let (row, column) = (sample * 7 % height, sample * 11 % width)
      let (output, input) = (sample * 37 % outputs, sample * 41 % inputs)
      var sums = (y: Double(bs[output]), dx: 0.0)
      for tap in 0..<9 {
        let (down, across) = (tap / 3 - 1, tap % 3 - 1)
        if (0..<height).contains(row + down), (0..<width).contains(column + across) {
          let pixel = (image * height + row + down) * width + column + across
          for c in 0..<inputs {
            sums.y += Double(xs[pixel * inputs + c]) * Double(ws[(output * 9 + tap) * inputs + c])
          }
        }
        if (0..<height).contains(row - down), (0..<width).contains(column - across) {
          let pixel = (image * height + row - down) * width + column - across
          for o in 0..<outputs {
            sums.dx += Double(dys[pixel * outputs + o]) * Double(ws[(o * 9 + tap) * inputs + input])
          }
        }
      }
      let pixel = (image * height + row) * width + column
      // Sums of about 4,600 products of numbers up to 1 are about 25 large.
      #expect(abs(Double(ys[pixel * outputs + output]) - sums.y) < 2e-4)
      #expect(abs(Double(dxs[pixel * inputs + input]) - sums.dx) < 2e-4)
    }
  }

  /// A picture's result is the same alone and among others, and with any number of threads.
  @Test func picturesDoNotDependOnOthers() {
    let x = Noise.tensor([5, 16, 16, 520], seed: 1)
    let weight = Noise.tensor([520, 3, 3, 520], seed: 2)
    let together = conv2d(x, weight: weight, padding: Padding(1)).values
    let first = Tensor(Array(x.values[..<(16 * 16 * 520)]), [1, 16, 16, 520])
    let alone = Compute.with {
      $0.threads = 1
    } _: {
      conv2d(first, weight: weight, padding: Padding(1)).values
    }
    #expect(alone == Array(together[..<alone.count]))
  }
}
