import ComputeCore
import Foundation
import Testing

/// Attention against loops in Float64, and its gradients against central differences of them.
@Suite struct AttentionKernelTests {
  struct Case: Sendable, CustomStringConvertible {
    let n, queries, keys, heads, headDim: Int
    let isCausal, isMasked: Bool

    init(
      _ n: Int, _ queries: Int, _ keys: Int, _ heads: Int, _ headDim: Int, causal: Bool = false,
      masked: Bool = false
    ) {
      (self.n, self.queries, self.keys) = (n, queries, keys)
      (self.heads, self.headDim, isCausal, isMasked) = (heads, headDim, causal, masked)
    }

    var description: String {
      "\(n)x\(queries)x\(keys) h\(heads) d\(headDim) causal \(isCausal) masked \(isMasked)"
    }
  }

  static let cases = [
    Case(1, 1, 2, 1, 1), Case(2, 7, 7, 2, 5, causal: true), Case(2, 33, 17, 3, 8, masked: true),
    Case(1, 77, 77, 1, 33, causal: true, masked: true), Case(1, 300, 20, 2, 16, masked: true),
    Case(1, 31, 700, 1, 40),
  ]

  @Test(arguments: cases, MatmulPrecision.allCases)
  func agreesWithFloat64Loops(_ test: Case, _ precision: MatmulPrecision) throws {
    let c = test.heads * test.headDim
    let q = Noise.tensor([test.n, test.queries, c], seed: 1).asVariable()
    let k = Noise.tensor([test.n, test.keys, c], seed: 2).asVariable()
    let v = Noise.tensor([test.n, test.keys, c], seed: 3).asVariable()
    let dy = Noise.tensor(q.shape, seed: 4)
    let mask = Tensor(
      (0..<test.n * test.keys).map { $0 % 3 == 1 ? 0 : 1 }, [test.n, test.keys])
    let reference = NaiveAttention(test, q.values, k.values, v.values, mask.values, dy.values)
    for threads in [1, 2] {
      let (y, gradients) = Compute.with {
        $0.precision = precision
        $0.threads = threads
      } _: {
        let y = attention(
          q, k, v, heads: test.heads, mask: test.isMasked ? mask : nil, isCausal: test.isCausal)
        return (y, ComputeCore.gradients(of: y, seed: dy))
      }
      let tolerance = precision == .float32 ? 5e-6 : 2e-2
      #expect(Noise.distance(y.values, reference.y) < tolerance, "y")
      #expect(Noise.distance(try #require(gradients[q]).values, reference.dq) < tolerance, "dq")
      #expect(Noise.distance(try #require(gradients[k]).values, reference.dk) < tolerance, "dk")
      #expect(Noise.distance(try #require(gradients[v]).values, reference.dv) < tolerance, "dv")
    }
  }

  @Test func queryWithoutAnyKeyGivesZeros() {
    let x = Noise.tensor([1, 3, 4], seed: 1)
    let y = attention(x, x, x, heads: 2, mask: Tensor.zeros([1, 3]))
    #expect(y.values.allSatisfy { $0 == 0 })
  }
}

/// Attention and its gradients as plain loops.
private struct NaiveAttention {
  var y: [Double]
  var dq: [Double]
  var dk: [Double]
  var dv: [Double]

  init(
    _ t: AttentionKernelTests.Case, _ q: [Float], _ k: [Float], _ v: [Float], _ mask: [Float],
    _ dy: [Float]
  ) {
    y = [Double](repeating: 0, count: q.count)
    dq = y
    dk = [Double](repeating: 0, count: k.count)
    dv = dk
    let (c, d) = (t.heads * t.headDim, t.headDim)
    let scale = 1 / Double(d).squareRoot()
    for n in 0..<t.n {
      for head in 0..<t.heads {
        for i in 0..<t.queries {
          let row = (n * t.queries + i) * c + head * d
          let seen = (0..<t.keys).filter { j in
            (!t.isCausal || j <= i) && (!t.isMasked || mask[n * t.keys + j] != 0)
          }
          let scores = seen.map { j in
            (0..<d).reduce(0.0) {
              $0 + Double(q[row + $1]) * Double(k[(n * t.keys + j) * c + head * d + $1])
            } * scale
          }
          let top = scores.max() ?? 0
          let total = scores.reduce(0) { $0 + exp($1 - top) }
          let p = scores.map { exp($0 - top) / total }
          var dp = [Double](repeating: 0, count: seen.count)
          for (index, j) in seen.enumerated() {
            let key = (n * t.keys + j) * c + head * d
            for e in 0..<d {
              y[row + e] += p[index] * Double(v[key + e])
              dv[key + e] += p[index] * Double(dy[row + e])
              dp[index] += Double(dy[row + e]) * Double(v[key + e])
            }
          }
          let mean = zip(p, dp).reduce(0) { $0 + $1.0 * $1.1 }
          for (index, j) in seen.enumerated() {
            let key = (n * t.keys + j) * c + head * d
            let ds = p[index] * (dp[index] - mean) * scale
            for e in 0..<d {
              dq[row + e] += ds * Double(k[key + e])
              dk[key + e] += ds * Double(q[row + e])
            }
          }
        }
      }
    }
  }
}
