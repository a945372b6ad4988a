import ComputeCore
import Foundation
import TestSupport
import Testing

/// Attention and its gradients against loops in Float64.
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

  /// Tails of every register tile, panel and block.
  static let lengths = [1, 7, 17, 33, 77, 130]
  static let headDims = [1, 8, 20, 33, 40, 160]

  /// Every pair of lengths with every head size; batch, heads and what is hidden take turns.
  static let cases = lengths.flatMap { queries in
    lengths.flatMap { keys in
      headDims.map { headDim in
        let turn = queries + 3 * keys + 5 * headDim
        return Case(
          1 + turn % 3, queries, keys, 1 + turn % 2, headDim, causal: turn % 5 < 2,
          masked: turn % 7 < 3)
      }
    }
  }

  /// More than a block of keys and of queries, and few heads, whose keys are split.
  static let long = [
    Case(1, 300, 20, 2, 16, masked: true), Case(1, 31, 700, 1, 40), Case(2, 290, 290, 4, 24),
    Case(1, 300, 530, 1, 72, causal: true, masked: true), Case(1, 530, 530, 2, 24, causal: true),
    Case(3, 270, 140, 16, 5, masked: true),
  ]

  @Test(arguments: cases + long)
  func agreesWithFloat64Loops(_ test: Case) throws {
    let c = test.heads * test.headDim
    let q = Noise.tensor([test.n, test.queries, c], seed: 1).asVariable()
    let k = Noise.tensor([test.n, test.keys, c], seed: 2).asVariable()
    let v = Noise.tensor([test.n, test.keys, c], seed: 3).asVariable()
    let dy = Noise.tensor(q.shape, seed: 4)
    let mask = Tensor(
      (0..<test.n * test.keys).map { $0 % 3 == 1 ? 0 : 1 }, [test.n, test.keys])
    let reference = NaiveAttention(test, q.values, k.values, v.values, mask.values, dy.values)
    for precision in MatmulPrecision.allCases {
      let (y, found) = Compute.with {
        $0.precision = precision
      } _: {
        let y = attention(
          q, k, v, heads: test.heads, mask: test.isMasked ? mask : nil, isCausal: test.isCausal)
        return (y, gradients(of: y, seed: dy))
      }
      // Rounding of 2^-24 or 2^-9 in a chain of three products.
      let tolerance = precision == .bfloat16 ? 1.5e-2 : 3e-6
      reference.y.expect(y, tolerance, "y \(precision)")
      reference.dq.expect(try #require(found[q]), tolerance, "dq \(precision)")
      reference.dk.expect(try #require(found[k]), tolerance, "dk \(precision)")
      reference.dv.expect(try #require(found[v]), tolerance, "dv \(precision)")
    }
  }

  /// Queries, keys and values that are stored in 16 bits give such results and gradients.
  @Test(arguments: cases.enumerated().filter { $0.offset % 3 == 0 }.map(\.element) + long)
  func storedInSixteenBitsAgreesWithFloat64Loops(_ test: Case) throws {
    let c = test.heads * test.headDim
    let lengths = [test.queries, test.keys, test.keys, test.queries]
    let x = lengths.enumerated().map { index, length in
      Noise.tensor([test.n, length, c], seed: UInt64(index + 1)).cast(to: .bfloat16).asVariable()
    }
    let mask = Tensor(
      (0..<test.n * test.keys).map { $0 % 3 == 1 ? 0 : 1 }, [test.n, test.keys])
    let reference = NaiveAttention(
      test, x[0].values, x[1].values, x[2].values, mask.values, x[3].values)
    let (y, found) = Compute.with {
      $0.precision = .bfloat16
    } _: {
      let y = attention(
        x[0], x[1], x[2], heads: test.heads, mask: test.isMasked ? mask : nil,
        isCausal: test.isCausal)
      return (y, gradients(of: y, seed: x[3].detached()))
    }
    #expect(y.dtype == .bfloat16)
    reference.y.expect(y, 1.5e-2, "y")
    for (input, (expected, name)) in zip(
      x, [(reference.dq, "dq"), (reference.dk, "dk"), (reference.dv, "dv")])
    {
      let gradient = try #require(found[input])
      #expect(gradient.dtype == .bfloat16)
      expected.expect(gradient, 1.5e-2, name)
    }
  }

  @Test(arguments: MatmulPrecision.allCases)
  func resultsDoNotDependOnThreads(_ precision: MatmulPrecision) {
    for (n, queries, keys, heads) in [(1, 700, 600, 1), (2, 300, 77, 8), (3, 40, 40, 2)] {
      let q = Noise.tensor([n, queries, 24 * heads], seed: 1).asVariable()
      let k = Noise.tensor([n, keys, 24 * heads], seed: 2).asVariable()
      let v = Noise.tensor([n, keys, 24 * heads], seed: 3).asVariable()
      expectThreadIndependence {
        Compute.with {
          $0.precision = precision
        } _: {
          let y = attention(q, k, v, heads: heads)
          let found = gradients(of: y, seed: y.detached())
          return [y] + [q, k, v].compactMap { found[$0] }
        }
      }
    }
  }

  @Test func queryWithoutAnyKeyGivesZeros() {
    let x = Noise.tensor([1, 3, 4], seed: 1)
    let y = attention(x, x, x, heads: 2, mask: Tensor.zeros([1, 3]))
    #expect(y.values.allSatisfy { $0 == 0 })
  }
}

/// Numbers with the largest magnitude that the terms they are sums of add up to: rounding is
/// relative to these, also where the terms cancel.
private struct RoundedSums {
  var values: [Double]
  var sizes: [Double]

  init(count: Int) {
    values = [Double](repeating: 0, count: count)
    sizes = values
  }

  mutating func add(_ term: Double, size: Double? = nil, at index: Int) {
    values[index] += term
    sizes[index] += abs(size ?? term)
  }

  func expect(
    _ x: Tensor, _ tolerance: Double, _ label: String,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let scale = sizes.max() ?? 0
    let worst = zip(x.values, values).reduce(0) { worst, pair in
      let distance = abs(Double(pair.0) - pair.1)
      return distance <= worst ? worst : distance
    }
    #expect(
      worst <= tolerance * scale, "\(label) is \(worst / scale) off",
      sourceLocation: sourceLocation)
  }
}

/// Attention and its gradients as plain loops.
private struct NaiveAttention {
  var y: RoundedSums
  var dq: RoundedSums
  var dk: RoundedSums
  var dv: RoundedSums

  init(
    _ t: AttentionKernelTests.Case, _ q: [Float], _ k: [Float], _ v: [Float], _ mask: [Float],
    _ dy: [Float]
  ) {
    y = RoundedSums(count: q.count)
    dq = y
    dk = RoundedSums(count: k.count)
    dv = dk
    for n in 0..<t.n {
      for i in 0..<t.queries {
        let seen = (0..<t.keys).filter { j in
          (!t.isCausal || j <= i) && (!t.isMasked || mask[n * t.keys + j] != 0)
        }
        for head in 0..<t.heads {
          let column = head * t.headDim
          let keys = seen.map { (n * t.keys + $0) * t.heads * t.headDim + column }
          add((n * t.queries + i) * t.heads * t.headDim + column, keys, t.headDim, q, k, v, dy)
        }
      }
    }
  }

  /// What the query at `row` and the keys that it sees give.
  private mutating func add(
    _ row: Int, _ keys: [Int], _ d: Int, _ q: [Float], _ k: [Float], _ v: [Float], _ dy: [Float]
  ) {
    func dot(_ a: [Float], _ b: [Float], _ key: Int) -> Double {
      var sum = 0.0
      for e in 0..<d { sum += Double(a[row + e]) * Double(b[key + e]) }
      return sum
    }
    let scale = 1 / Double(d).squareRoot()
    let scores = keys.map { dot(q, k, $0) * scale }
    let top = scores.max() ?? 0
    let total = scores.reduce(0) { $0 + exp($1 - top) }
    let p = scores.map { exp($0 - top) / total }
    let dp = keys.map { dot(dy, v, $0) }
    let mean = zip(p, dp).reduce(0) { $0 + $1.0 * $1.1 }
    for (index, key) in keys.enumerated() {
      let ds = p[index] * (dp[index] - mean) * scale
      let size = p[index] * (abs(dp[index]) + abs(mean)) * scale
      for e in 0..<d {
        let (query, other) = (Double(q[row + e]), Double(k[key + e]))
        y.add(p[index] * Double(v[key + e]), at: row + e)
        dv.add(p[index] * Double(dy[row + e]), at: key + e)
        dq.add(ds * other, size: size * other, at: row + e)
        dk.add(ds * query, size: size * query, at: key + e)
      }
    }
  }
}
