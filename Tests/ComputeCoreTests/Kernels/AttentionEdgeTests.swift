import ComputeCore
import TestSupport
import Testing

@Suite struct AttentionEdgeTests {
  @Test(arguments: MatmulPrecision.allCases)
  func noQueriesGiveZeroGradients(_ precision: MatmulPrecision) {
    // Memory that was used before, so that what is not written shows.
    _ = (0..<4).map { _ in Tensor(repeating: .nan, [2, 5, 8]) }
    let q = Tensor.zeros([2, 0, 8]).asVariable()
    let k = Noise.tensor([2, 5, 8], seed: 1).asVariable()
    let v = Noise.tensor([2, 5, 8], seed: 2).asVariable()
    let (y, found) = Compute.with {
      $0.precision = precision
    } _: {
      let y = attention(q, k, v, heads: 2)
      return (y, gradients(of: y))
    }
    #expect(y.shape == [2, 0, 8])
    #expect(found[q]?.shape == [2, 0, 8])
    #expect(found[k]?.values == [Float](repeating: 0, count: 80))
    #expect(found[v]?.values == [Float](repeating: 0, count: 80))
  }

  @Test(arguments: MatmulPrecision.allCases)
  func noKeysGiveZeros(_ precision: MatmulPrecision) {
    let q = Noise.tensor([2, 5, 8], seed: 1).asVariable()
    let none = Tensor.zeros([2, 0, 8]).asVariable()
    let (y, found) = Compute.with {
      $0.precision = precision
    } _: {
      let y = attention(q, none, none, heads: 2)
      return (y, gradients(of: y))
    }
    #expect(y.values == [Float](repeating: 0, count: 80))
    #expect(found[q]?.values == [Float](repeating: 0, count: 80))
  }

  /// A query that is not a number must not pass for one that sees no key.
  @Test(arguments: MatmulPrecision.allCases, [20, 300])
  func notANumberStaysNotANumber(_ precision: MatmulPrecision, _ keys: Int) {
    var values = Noise.tensor([1, 3, 4], seed: 1).values
    values[4] = .nan
    let q = Tensor(values, [1, 3, 4]).asVariable()
    let k = Noise.tensor([1, keys, 4], seed: 2)
    Compute.with {
      $0.precision = precision
    } _: {
      let y = attention(q, k, k, heads: 1)
      #expect(y.values[0..<4].allSatisfy { $0.isFinite })
      #expect(y.values[4..<8].allSatisfy { $0.isNaN })
      #expect(y.values[8..<12].allSatisfy { $0.isFinite })
      let masked = attention(
        q, k, k, heads: 1, mask: Tensor((0..<keys).map { $0 < 7 ? 1 : 0 }, [1, keys]))
      #expect(masked.values[4..<8].allSatisfy { $0.isNaN })
      #expect(gradients(of: y)[q]?.values[4..<8].allSatisfy { $0.isNaN } == true)
    }
  }

  /// Query 0 sees only key 0, which is masked.
  @Test(arguments: MatmulPrecision.allCases)
  func causalQueryWithoutAnyKeyGivesZeros(_ precision: MatmulPrecision) {
    let x = Noise.tensor([1, 200, 8], seed: 1).asVariable()
    let v = Noise.tensor([1, 200, 8], seed: 2).asVariable()
    Compute.with {
      $0.precision = precision
    } _: {
      let mask = Tensor((0..<200).map { $0 == 0 ? 0 : 1 }, [1, 200])
      let y = attention(x, x, v, heads: 1, mask: mask, isCausal: true)
      #expect(y.values[0..<8].allSatisfy { $0 == 0 })
      let found = gradients(of: y)
      #expect(found[v]?.values[0..<8].allSatisfy { $0 == 0 } == true)
      #expect(found[x]?.values.allSatisfy { $0.isFinite } == true)
    }
  }

  /// Scores far beyond what exponentials can hold.
  @Test(arguments: [-1.0, 1.0] as [Float])
  func largeScoresAreFinite(_ sign: Float) {
    let q = Tensor((0..<64).map { _ in 300 * sign }, [1, 8, 8])
    let k = Tensor((0..<1200).map { Float($0 / 8) }, [1, 150, 8])
    let y = attention(q, k, k, heads: 1)
    expectClose(y, [Double](repeating: sign < 0 ? 0 : 149, count: 64))
  }
}
