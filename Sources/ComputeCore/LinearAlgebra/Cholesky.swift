import CKernels

extension DoubleMatrix {
  /// The lower triangular `L` with `L · Lᵀ = self`, of a symmetric matrix without negative
  /// eigenvalues.
  ///
  /// Directions without variance get a column of zeros: pivots below rounding error are taken for
  /// what they should be. Source: Golub & Van Loan, "Matrix Computations", 4.2.
  package func choleskyFactor() -> DoubleMatrix {
    precondition(rows == columns, "choleskyFactor: \(rows)x\(columns) is not square")
    let n = rows
    var l = self
    let largest = (0..<n).reduce(0) { max($0, self[$1, $1]) }
    let negligible = largest * Double(n) * Double.ulpOfOne
    l.values.withUnsafeMutableBufferPointer { buffer in
      guard let l = buffer.baseAddress else { return }
      for start in stride(from: 0, to: n, by: Self.choleskyBlock) {
        factorColumns(l, n, start..<min(n, start + Self.choleskyBlock), negligible)
      }
      for row in 0..<n {
        for column in row + 1..<max(n, row + 1) { l[row * n + column] = 0 }
      }
    }
    return l
  }

  private static var choleskyBlock: Int { 32 }
}

/// Turns the columns `block` into those of the factor; the ones before are done.
///
/// Each row needs only itself and the rows of the block, so rows below it are shared out.
private func factorColumns(
  _ l: UnsafeMutablePointer<Double>, _ n: Int, _ block: Range<Int>, _ negligible: Double
) {
  func solve(_ row: Int) {
    for column in block.lowerBound..<min(row + 1, block.upperBound) {
      var known = 0.0
      ck_dot_f64(&known, l + row * n, l + column * n, column)
      let rest = l[row * n + column] - known
      if column == row {
        l[row * n + row] = rest > negligible ? rest.squareRoot() : 0
      } else {
        let pivot = l[column * n + column]
        l[row * n + column] = pivot > 0 ? rest / pivot : 0
      }
    }
  }
  for row in block { solve(row) }
  parallelChunks(n - block.upperBound, chunk: 32) { rows in
    for row in rows { solve(block.upperBound + row) }
  }
}
