import Checkpoints
import ComputeCore
import LoRA
import TestSupport
import Testing

/// Singular values against numpy, and what follows from the definitions.
@Suite struct ThinProductTests {
  @Test func valuesAndClosestProductAreThoseOfNumpy() throws {
    for item in try Fixture("algebra").cases {
      let product = ThinProduct(
        up: Matrix(try item.tensor("up")), down: Matrix(try item.tensor("down")))
      let expected = try item.tensor("values").values
      for (index, value) in expected.enumerated() {
        let found = index < product.values.count ? product.values[index] : 0
        #expect(abs(found - Double(value)) <= 1e-6 * Double(expected[0]), "\(item.name) \(index)")
      }
      let (up, down) = product.truncated(to: 2)
      let closest = try item.tensor("closest")
      expectClose((up * down).tensor(closest.shape), closest, tolerance: 2e-6, item.name)
      #expect(up.columns == min(2, product.values.count))
    }
  }

  @Test func ranksAreThoseOfTheRules() throws {
    for item in try Fixture("algebra").cases {
      let product = ThinProduct(
        up: Matrix(try item.tensor("up")), down: Matrix(try item.tensor("down")))
      for (rule, rank) in try item.parameter("ranks", as: [String: Int].self) {
        let words = rule.split(separator: " ")
        let share = try #require(Double(words[1]))
        let ranks: [String: RankRule] = [
          "ratio": .ratio(share), "frobenius": .frobenius(share), "cumulative": .cumulative(share),
        ]
        let found = try #require(ranks[String(words[0])])
        // A share of 1 depends on values that are zero but for rounding.
        if share == 1, words[0] == "cumulative" { continue }
        #expect(found.rank(for: product.values, limit: 100) == rank, "\(item.name) \(rule)")
        #expect(found.rank(for: product.values, limit: 1) == 1)
      }
      let count = product.values.count
      #expect(RankRule.fixed.rank(for: product.values, limit: 3) == min(3, count))
    }
    #expect(RankRule.fixed.rank(for: [0, 0], limit: 2) == 1)
  }

  @Test(arguments: [(1, 1), (5, 3), (3, 5), (7, 7), (33, 17)])
  func factorsAreOrthonormalAndGiveTheMatrix(_ rows: Int, _ columns: Int) {
    var generator = TorchGenerator(seed: UInt64(rows * 100 + columns))
    let tensor = Tensor.randn([rows, columns], using: &generator)
    let a = Matrix(tensor)
    let qr = QRFactorization(a)
    expectIdentity(qr.q.transposed * qr.q)
    expectClose((qr.q * qr.r).tensor([rows, columns]), tensor)
    for j in 0..<columns {
      for i in 0..<qr.r.rows where i > j { #expect(qr.r[i, j] == 0) }
    }
    let svd = SingularValues(a)
    expectIdentity(svd.right.transposed * svd.right)
    expectClose((svd.scaledLeft * svd.right.transposed).tensor([rows, columns]), tensor)
    #expect(svd.values == svd.values.sorted(by: >))
  }

  @Test func zeroAndEqualColumnsAreNoTrouble() {
    let zero = SingularValues(Matrix(Tensor.zeros([4, 3])))
    #expect(zero.values == [0, 0, 0])
    let ones = SingularValues(Matrix(Tensor.ones([4, 3])))
    #expect(abs(ones.values[0] - 12.0.squareRoot()) < 1e-14)
    #expect(ones.values[1...].allSatisfy { $0 < 1e-14 })
    let qr = QRFactorization(Matrix(Tensor.zeros([3, 2])))
    #expect((qr.q * qr.r).values.allSatisfy { $0 == 0 })
  }
}

private func expectIdentity(_ a: Matrix, sourceLocation: SourceLocation = #_sourceLocation) {
  for i in 0..<a.rows {
    for j in 0..<a.columns {
      let wanted: Double = i == j ? 1 : 0
      #expect(abs(a[i, j] - wanted) < 1e-13, sourceLocation: sourceLocation)
    }
  }
}
