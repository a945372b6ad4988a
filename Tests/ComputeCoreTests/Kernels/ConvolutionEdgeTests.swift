import ComputeCore
import TestSupport
import Testing

/// Convolutions of unusual sizes against loops in Float64, in both precisions.
@Suite struct ConvolutionEdgeTests {
  /// Sizes of one convolution; `padding` is top, bottom, left, right.
  struct Case: Sendable, CustomStringConvertible {
    let n, h, w, c, o, k, stride: Int
    let padding: [Int]

    init(
      _ n: Int, _ h: Int, _ w: Int, _ c: Int, _ o: Int, _ k: Int, _ stride: Int, _ padding: [Int]
    ) {
      (self.n, self.h, self.w, self.c) = (n, h, w, c)
      (self.o, self.k, self.stride, self.padding) = (o, k, stride, padding)
    }

    var description: String { "\(n)x\(h)x\(w)x\(c)->\(o) k\(k) s\(stride) p\(padding)" }
    var outHeight: Int { (h + padding[0] + padding[1] - k) / stride + 1 }
    var outWidth: Int { (w + padding[2] + padding[3] - k) / stride + 1 }
    var pad: Padding {
      Padding(top: padding[0], bottom: padding[1], left: padding[2], right: padding[3])
    }
  }

  static let cases = [
    Case(2, 7, 8, 3, 5, 1, 2, [0, 0, 0, 0]), Case(1, 9, 10, 3, 5, 2, 5, [1, 0, 0, 1]),
    Case(1, 5, 4, 3, 5, 1, 1, [1, 1, 1, 1]), Case(2, 5, 6, 3, 4, 3, 1, [3, 3, 3, 3]),
    Case(1, 3, 3, 5, 4, 3, 2, [5, 4, 6, 3]), Case(1, 6, 6, 1, 1, 3, 2, [0, 1, 0, 1]),
    Case(1, 1, 1, 3, 33, 3, 1, [1, 1, 1, 1]), Case(1, 2, 1_100, 3, 2, 3, 1, [1, 1, 1, 1]),
    Case(0, 5, 6, 3, 4, 3, 1, [1, 1, 1, 1]), Case(0, 1, 1, 3, 4, 1, 1, [0, 0, 0, 0]),
    Case(2, 5, 6, 0, 4, 3, 1, [1, 1, 1, 1]), Case(2, 5, 6, 0, 4, 1, 1, [0, 0, 0, 0]),
    Case(2, 5, 6, 3, 0, 3, 1, [1, 1, 1, 1]), Case(2, 5, 6, 3, 0, 1, 1, [0, 0, 0, 0]),
    Case(1, 1, 1_500, 40, 23, 1, 1, [0, 0, 0, 0]), Case(3, 17, 11, 33, 31, 1, 1, [0, 0, 0, 0]),
    Case(2, 33, 31, 17, 20, 4, 2, [1, 1, 1, 1]), Case(1, 13, 77, 16, 9, 3, 2, [0, 1, 0, 1]),
  ]

  /// Large enough for Winograd's algorithm: odd sizes, all tails, several blocks and portions.
  static let winogradCases = [
    Case(1, 14, 15, 17, 31, 3, 1, [1, 1, 1, 1]), Case(3, 8, 8, 33, 16, 3, 1, [1, 1, 1, 1]),
    Case(2, 9, 13, 77, 19, 3, 1, [0, 0, 0, 0]), Case(5, 7, 7, 16, 33, 3, 1, [2, 2, 2, 2]),
    Case(1, 33, 17, 31, 40, 3, 1, [0, 2, 1, 0]), Case(4, 16, 16, 70, 40, 3, 1, [1, 1, 1, 1]),
    Case(3, 34, 33, 16, 17, 3, 1, [1, 1, 1, 1]), Case(2, 12, 12, 18, 16, 3, 1, [4, 3, 3, 5]),
    Case(1, 34, 36, 520, 16, 3, 1, [1, 1, 1, 1]), Case(1, 2, 130, 24, 48, 3, 1, [1, 1, 1, 1]),
  ]

  @Test(arguments: cases + winogradCases, MatmulPrecision.allCases)
  func agreesWithFloat64Loops(_ t: Case, _ precision: MatmulPrecision) throws {
    let x = Noise.tensor([t.n, t.h, t.w, t.c], seed: 1).asVariable()
    let weight = Noise.tensor([t.o, t.k, t.k, t.c], seed: 2).asVariable()
    let bias = Noise.tensor([t.o], seed: 3).asVariable()
    let dy = Noise.tensor([t.n, t.outHeight, t.outWidth, t.o], seed: 4)
    var (y, dx, dw) = (
      [Double](repeating: 0, count: dy.count), [Double](repeating: 0, count: x.count),
      [Double](repeating: 0, count: weight.count)
    )
    let (xv, wv, bv, gv) = (x.values, weight.values, bias.values, dy.values)
    for index in dy.values.indices { y[index] = Double(bv[index % t.o]) }
    ConvolutionEdgeTests.forEachTerm(t) { input, kernel, output in
      y[output] += Double(xv[input]) * Double(wv[kernel])
      dx[input] += Double(gv[output]) * Double(wv[kernel])
      dw[kernel] += Double(gv[output]) * Double(xv[input])
    }
    let tolerance = precision == .bfloat16 ? 1.5e-2 : 6e-6
    let (result, found) = Compute.with {
      $0.precision = precision
    } _: {
      let result = conv2d(x, weight: weight, bias: bias, stride: t.stride, padding: t.pad)
      return (result, gradients(of: result, seed: dy))
    }
    #expect(result.shape == dy.shape)
    expectClose(result, y, tolerance: tolerance, "y")
    expectClose(try #require(found[x]), dx, tolerance: tolerance, "dx")
    expectClose(try #require(found[weight]), dw, tolerance: tolerance, "dw")
    #expect(try #require(found[bias]).shape == [t.o])
  }

  /// A transposed convolution swaps the roles of result and input, so the same terms are its oracle.
  @Test(
    arguments: (cases + winogradCases).filter { $0.n * $0.c * $0.o > 0 }, MatmulPrecision.allCases)
  func transposedAgreesWithFloat64Loops(_ t: Case, _ precision: MatmulPrecision) throws {
    let heightLeft = (t.h + t.padding[0] + t.padding[1] - t.k) % t.stride
    let widthLeft = (t.w + t.padding[2] + t.padding[3] - t.k) % t.stride
    guard heightLeft == widthLeft else { return }
    let x = Noise.tensor([t.n, t.outHeight, t.outWidth, t.o], seed: 1).asVariable()
    let weight = Noise.tensor([t.o, t.k, t.k, t.c], seed: 2).asVariable()
    let bias = Noise.tensor([t.c], seed: 3)
    let dy = Noise.tensor([t.n, t.h, t.w, t.c], seed: 4)
    var (y, dx, dw) = (
      [Double](repeating: 0, count: dy.count), [Double](repeating: 0, count: x.count),
      [Double](repeating: 0, count: weight.count)
    )
    let (xv, wv, bv, gv) = (x.values, weight.values, bias.values, dy.values)
    for index in y.indices { y[index] = Double(bv[index % t.c]) }
    ConvolutionEdgeTests.forEachTerm(t) { output, kernel, input in
      y[output] += Double(xv[input]) * Double(wv[kernel])
      dx[input] += Double(gv[output]) * Double(wv[kernel])
      dw[kernel] += Double(gv[output]) * Double(xv[input])
    }
    let tolerance = precision == .bfloat16 ? 1.5e-2 : 6e-6
    let (result, found) = Compute.with {
      $0.precision = precision
    } _: {
      let result = convTranspose2d(
        x, weight: weight, bias: bias, stride: t.stride, padding: t.pad, outputPadding: heightLeft)
      return (result, gradients(of: result, seed: dy))
    }
    #expect(result.shape == dy.shape)
    expectClose(result, y, tolerance: tolerance, "y")
    expectClose(try #require(found[x]), dx, tolerance: tolerance, "dx")
    expectClose(try #require(found[weight]), dw, tolerance: tolerance, "dw")
  }

  @Test func linearTakesNoRows() {
    let x = Tensor.zeros([0, 3]).asVariable()
    let weight = Noise.tensor([5, 3], seed: 1).asVariable()
    let bias = Noise.tensor([5], seed: 1).asVariable()
    for precision in MatmulPrecision.allCases {
      let (y, found) = Compute.with {
        $0.precision = precision
      } _: {
        let y = linear(x, weight: weight, bias: bias)
        return (y, gradients(of: y))
      }
      #expect(y.shape == [0, 5])
      #expect(found[x]?.shape == [0, 3])
      #expect(found[weight]?.values == [Float](repeating: 0, count: 15))
      #expect(found[bias]?.values == [Float](repeating: 0, count: 5))
    }
  }

  /// A frozen weight keeps its packed form, which must not be taken for that of another shape.
  @Test func frozenWeightsMayBeSeenInSeveralShapes() {
    let weight = Noise.tensor([3, 4], seed: 1)
    let (a, b) = (Noise.tensor([2, 4], seed: 2), Noise.tensor([2, 3], seed: 3))
    func both() -> [[Float]] {
      let (x, y) = (a.asVariable(), b.asVariable())
      let p = linear(x, weight: weight)
      let q = linear(y, weight: weight.reshaped([4, 3]))
      return [
        p.values, q.values, gradients(of: p)[x]?.values ?? [], gradients(of: q)[y]?.values ?? [],
      ]
    }
    let copies = [Tensor(weight.values, [3, 4]), Tensor(weight.values, [4, 3])]
    let expected = [linear(a, weight: copies[0]).values, linear(b, weight: copies[1]).values]
    #expect(Array(both().prefix(2)) == expected)
    #expect(both() == both())
  }

  @Test func sizesThatDoNotFitStop() async {
    await #expect(processExitsWith: .failure) {
      _ = conv2d(Tensor.ones([1, 2, 2, 1]), weight: Tensor.ones([1, 3, 3, 1]), stride: 2)
    }
    await #expect(processExitsWith: .failure) {
      _ = conv2d(
        Tensor.ones([1, 5, 5, 1]), weight: Tensor.ones([1, 3, 3, 1]), padding: Padding(-1))
    }
    await #expect(processExitsWith: .failure) {
      _ = convTranspose2d(
        Tensor.ones([1, 2, 2, 1]), weight: Tensor.ones([1, 3, 3, 1]), stride: 2, outputPadding: 2)
    }
    await #expect(processExitsWith: .failure) {
      _ = convTranspose2d(
        Tensor.ones([1, 0, 2, 1]), weight: Tensor.ones([1, 5, 5, 1]), stride: 2, outputPadding: 1)
    }
  }

  /// Calls `body` with the places in x, weight and y of every product of a convolution.
  private static func forEachTerm(
    _ t: Case, _ body: (_ input: Int, _ weight: Int, _ output: Int) -> Void
  ) {
    for n in 0..<t.n {
      for i in 0..<t.outHeight {
        for j in 0..<t.outWidth {
          for ky in 0..<t.k {
            for kx in 0..<t.k {
              let (row, column) = (
                i * t.stride + ky - t.padding[0], j * t.stride + kx - t.padding[2]
              )
              guard row >= 0, row < t.h, column >= 0, column < t.w else { continue }
              for o in 0..<t.o {
                for c in 0..<t.c {
                  body(
                    ((n * t.h + row) * t.w + column) * t.c + c,
                    ((o * t.k + ky) * t.k + kx) * t.c + c,
                    ((n * t.outHeight + i) * t.outWidth + j) * t.o + o)
                }
              }
            }
          }
        }
      }
    }
  }
}
