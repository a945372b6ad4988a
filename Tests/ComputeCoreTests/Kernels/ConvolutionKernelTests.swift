import ComputeCore
import Testing

/// Convolutions, linear layers and attention against loops in Float64, in both precisions.
@Suite struct ConvolutionKernelTests {
  /// Sizes of one convolution: batch, height, width, in, out, kernel, stride, padding.
  struct Case: Sendable, CustomStringConvertible {
    let n, h, w, c, o, k, stride, padding: Int

    init(_ n: Int, _ h: Int, _ w: Int, _ c: Int, _ o: Int, _ k: Int, _ stride: Int, _ padding: Int)
    {
      (self.n, self.h, self.w, self.c) = (n, h, w, c)
      (self.o, self.k, self.stride, self.padding) = (o, k, stride, padding)
    }

    var description: String { "\(n)x\(h)x\(w)x\(c)->\(o) k\(k) s\(stride) p\(padding)" }
    var outHeight: Int { (h + 2 * padding - k) / stride + 1 }
    var outWidth: Int { (w + 2 * padding - k) / stride + 1 }
  }

  static let cases = [
    Case(1, 1, 1, 1, 1, 1, 1, 0), Case(2, 5, 7, 3, 5, 3, 1, 1), Case(1, 8, 8, 16, 33, 3, 1, 1),
    Case(3, 9, 6, 5, 4, 3, 2, 1), Case(2, 8, 8, 7, 17, 4, 2, 1), Case(1, 17, 33, 31, 65, 3, 1, 1),
    Case(2, 6, 6, 8, 8, 5, 1, 2), Case(2, 7, 7, 33, 31, 1, 1, 0), Case(1, 6, 5, 4, 3, 3, 1, 0),
    Case(1, 40, 40, 4, 6, 3, 1, 1), Case(2, 31, 1, 3, 140, 3, 2, 1),
    Case(1, 48, 48, 2, 3, 1, 1, 0),
  ]

  @Test(arguments: cases, MatmulPrecision.allCases)
  func agreesWithFloat64Loops(_ test: Case, _ precision: MatmulPrecision) throws {
    let x = Noise.tensor([test.n, test.h, test.w, test.c], seed: 1).asVariable()
    let weight = Noise.tensor([test.o, test.k, test.k, test.c], seed: 2).asVariable()
    let bias = Noise.tensor([test.o], seed: 3).asVariable()
    let dy = Noise.tensor([test.n, test.outHeight, test.outWidth, test.o], seed: 4)
    let reference = NaiveConvolution(test, x.values, weight.values, bias.values, dy.values)
    for threads in [1, 2] {
      let (y, gradients) = Compute.with {
        $0.precision = precision
        $0.threads = threads
      } _: {
        let y = conv2d(
          x, weight: weight, bias: bias, stride: test.stride, padding: Padding(test.padding))
        return (y, ComputeCore.gradients(of: y, seed: dy))
      }
      let tolerance = precision == .bfloat16 ? 1e-2 : 2e-6
      #expect(Noise.distance(y.values, reference.y) < tolerance, "y")
      #expect(Noise.distance(try #require(gradients[x]).values, reference.dx) < tolerance, "dx")
      #expect(
        Noise.distance(try #require(gradients[weight]).values, reference.dw) < tolerance, "dw")
      #expect(Noise.distance(try #require(gradients[bias]).values, reference.db) < 2e-6, "db")
    }
  }

  @Test func resultsDoNotDependOnTheNumberOfThreads() throws {
    let x = Noise.tensor([3, 20, 20, 40], seed: 1).asVariable()
    let weight = Noise.tensor([70, 3, 3, 40], seed: 2).asVariable()
    let runs = [1, 2].map { threads in
      Compute.with({ $0.threads = threads }) {
        let y = conv2d(x, weight: weight, padding: Padding(1))
        let gradients = ComputeCore.gradients(of: y)
        return [y.values, gradients[x]?.values, gradients[weight]?.values]
      }
    }
    #expect(runs[0] == runs[1])
  }

  @Test func frozenWeightsGetNoGradientAndPackOnce() throws {
    let x = Noise.tensor([1, 4, 4, 3], seed: 1).asVariable()
    let weight = Noise.tensor([5, 3, 3, 3], seed: 2)
    let y = conv2d(x, weight: weight, padding: Padding(1))
    let again = conv2d(x, weight: weight, padding: Padding(1))
    #expect(y.values == again.values)
    let gradients = ComputeCore.gradients(of: y)
    #expect(gradients[x] != nil)
    #expect(gradients[weight] == nil)
  }
}

/// Deterministic numbers for tests, and how far two results are apart.
enum Noise {
  static func tensor(_ shape: [Int], seed: UInt64) -> Tensor {
    var state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
    let values = (0..<shape.reduce(1, *)).map { _ -> Float in
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Float(state >> 40) / Float(1 << 23) - 1
    }
    return Tensor(values, shape)
  }

  /// Largest difference relative to the largest magnitude of the reference.
  static func distance(_ values: [Float], _ reference: [Double]) -> Double {
    guard values.count == reference.count else { return .infinity }
    let scale = reference.map(abs).max() ?? 0
    let worst = zip(values, reference).map { abs(Double($0) - $1) }.max() ?? 0
    return worst.isNaN ? .infinity : worst / max(scale, 1e-30)
  }
}

/// A convolution and its gradients as plain loops.
private struct NaiveConvolution {
  var y: [Double]
  var dx: [Double]
  var dw: [Double]
  var db: [Double]

  init(
    _ t: ConvolutionKernelTests.Case, _ x: [Float], _ w: [Float], _ b: [Float], _ dy: [Float]
  ) {
    y = [Double](repeating: 0, count: dy.count)
    dx = [Double](repeating: 0, count: x.count)
    dw = [Double](repeating: 0, count: w.count)
    db = [Double](repeating: 0, count: b.count)
    for n in 0..<t.n {
      for i in 0..<t.outHeight {
        for j in 0..<t.outWidth {
          for o in 0..<t.o {
            let out = ((n * t.outHeight + i) * t.outWidth + j) * t.o + o
            y[out] = Double(b[o])
            db[o] += Double(dy[out])
            for ky in 0..<t.k {
              for kx in 0..<t.k {
                let (row, column) = (
                  i * t.stride + ky - t.padding, j * t.stride + kx - t.padding
                )
                guard row >= 0, row < t.h, column >= 0, column < t.w else { continue }
                for c in 0..<t.c {
                  let input = ((n * t.h + row) * t.w + column) * t.c + c
                  let weight = ((o * t.k + ky) * t.k + kx) * t.c + c
                  y[out] += Double(x[input]) * Double(w[weight])
                  dx[input] += Double(dy[out]) * Double(w[weight])
                  dw[weight] += Double(dy[out]) * Double(x[input])
                }
              }
            }
          }
        }
      }
    }
  }
}
