/// A matrix as orthonormal columns times an upper triangle, `A = Q R`, by Householder reflections.
///
/// Source: Golub and Van Loan, Matrix Computations, 4th ed., algorithms 5.1.1 and 5.2.1.
package struct QRFactorization {
  /// `[m, k]` with k = min(m, n); its columns are orthonormal.
  package let q: Matrix
  /// `[k, n]`, zero below the diagonal.
  package let r: Matrix

  /// Factors a matrix of any shape.
  package init(_ a: Matrix) {
    let (m, n) = (a.rows, a.columns)
    let k = min(m, n)
    var work = a
    var reflections: [[Double]] = []
    for j in 0..<k {
      let column = Array(work.values[(j * m + j)..<(j * m + m)])
      let (v, isZero) = QRFactorization.reflection(of: column)
      reflections.append(isZero ? [] : v)
      if !isZero { QRFactorization.apply(v, from: j, to: &work, columns: j..<n) }
    }
    var r = Matrix(rows: k, columns: n)
    for j in 0..<n {
      for i in 0..<min(j + 1, k) { r[i, j] = work[i, j] }
    }
    var q = Matrix(rows: m, columns: k)
    for j in 0..<k { q[j, j] = 1 }
    for j in (0..<k).reversed() where !reflections[j].isEmpty {
      QRFactorization.apply(reflections[j], from: j, to: &q, columns: j..<k)
    }
    (self.q, self.r) = (q, r)
  }

  /// The unit vector `v` whose reflection `1 − 2 v vᵀ` leaves only the first element of `x`.
  private static func reflection(of x: [Double]) -> (v: [Double], isZero: Bool) {
    let norm = x.reduce(0) { $0 + $1 * $1 }.squareRoot()
    guard norm > 0, let first = x.first else { return (x, true) }
    var v = x
    v[0] = first + (first < 0 ? -norm : norm)
    let length = v.reduce(0) { $0 + $1 * $1 }.squareRoot()
    return (v.map { $0 / length }, false)
  }

  private static func apply(
    _ v: [Double], from start: Int, to a: inout Matrix, columns: Range<Int>
  ) {
    let m = a.rows
    a.values.withUnsafeMutableBufferPointer { values in
      v.withUnsafeBufferPointer { v in
        for j in columns {
          let offset = j * m + start
          var dot = 0.0
          for i in 0..<v.count { dot += v[i] * values[offset + i] }
          dot *= 2
          for i in 0..<v.count { values[offset + i] -= dot * v[i] }
        }
      }
    }
  }
}
