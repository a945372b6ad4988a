import ComputeCore
import Foundation
import TestSupport
import Testing

/// Numbers between -1 and 1 that only look random.
private func matrix(_ rows: Int, _ columns: Int, seed: UInt64) -> DoubleMatrix {
  var generator = TorchGenerator(seed: seed)
  let values = Tensor.rand([rows, columns], using: &generator).values
  return DoubleMatrix(rows: rows, columns: columns, values: values.map { 2 * Double($0) - 1 })
}

private func expectEqual(
  _ a: DoubleMatrix, _ b: DoubleMatrix, tolerance: Double = 1e-13,
  sourceLocation: SourceLocation = #_sourceLocation
) {
  let largest = b.values.reduce(1) { max($0, $1.magnitude) }
  let worst = zip(a.values, b.values).reduce(0) { max($0, ($1.0 - $1.1).magnitude) }
  #expect(
    a.values.count == b.values.count && worst <= tolerance * largest,
    "off by \(worst)", sourceLocation: sourceLocation)
}

@Suite struct DoubleMatrixTests {
  @Test(arguments: [(0, 3, 2), (1, 1, 1), (4, 5, 7), (65, 63, 9), (70, 130, 1_030)])
  func productEqualsSums(_ m: Int, _ n: Int, _ k: Int) {
    let (a, b) = (matrix(m, k, seed: 1), matrix(n, k, seed: 2))
    var expected = DoubleMatrix(rows: m, columns: n)
    for i in 0..<m {
      for j in 0..<n { expected[i, j] = (0..<k).reduce(0) { $0 + a[i, $1] * b[j, $1] } }
    }
    expectEqual(DoubleMatrix.product(a, transposing: b), expected)
  }

  @Test func symmetricProductIsTheWholeOne() {
    let a = matrix(100, 33, seed: 3)
    #expect(
      DoubleMatrix.product(a, transposing: a, isSymmetric: true)
        == DoubleMatrix.product(a, transposing: a))
  }

  @Test(arguments: [(1, 1), (5, 5), (90, 120), (90, 7)])
  func choleskyFactorGivesTheMatrixBack(_ n: Int, _ rank: Int) {
    let a = matrix(n, rank, seed: 4)
    let square = DoubleMatrix.product(a, transposing: a, isSymmetric: true)
    let l = square.choleskyFactor()
    expectEqual(DoubleMatrix.product(l, transposing: l), square)
    #expect((0..<n).allSatisfy { i in (i + 1..<max(n, i + 1)).allSatisfy { l[i, $0] == 0 } })
  }

  @Test func eigenvaluesMatchTorch() throws {
    for item in try Fixture("eigenvalues").cases {
      let values = try item.tensor("matrix")
      let n = values.shape[0]
      let found = DoubleMatrix(rows: n, columns: n, values: values.values.map(Double.init))
        .symmetricEigenvalues()
      let expected = try item.parameter("eigenvalues", as: [Double].self)
      let largest = expected.reduce(0) { max($0, $1.magnitude) }
      #expect(found.count == expected.count)
      for (a, b) in zip(found, expected) {
        #expect((a - b).magnitude < 1e-13 * largest, "\(item.name): \(a) instead of \(b)")
      }
    }
  }

  /// The eigenvalues of the second difference are known: 2 - 2 cos(kπ / (n + 1)).
  @Test(arguments: [0, 1, 2, 3, 300]) func eigenvaluesOfTheSecondDifference(_ n: Int) {
    var a = DoubleMatrix(rows: n, columns: n)
    for i in 0..<n {
      a[i, i] = 2
      if i > 0 { (a[i, i - 1], a[i - 1, i]) = (-1, -1) }
    }
    for (k, value) in a.symmetricEigenvalues().enumerated() {
      let sine = sin(Double(k + 1) * .pi / Double(2 * (n + 1)))
      #expect((value - 4 * sine * sine).magnitude < 1e-13)
    }
  }

  @Test func resultsDoNotDependOnThreads() {
    let a = matrix(200, 150, seed: 5)
    func eigenvalues(_ threads: Int) -> [Double] {
      func found() -> [Double] {
        let square = DoubleMatrix.product(a, transposing: a, isSymmetric: true)
        return square.choleskyFactor().values + square.symmetricEigenvalues()
      }
      return Compute.with({ $0.threads = threads }, found)
    }
    #expect(eigenvalues(1) == eigenvalues(2))
  }
}
