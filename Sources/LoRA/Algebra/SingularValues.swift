/// A matrix as `A = (U S) Vᵀ` by one-sided Jacobi rotations: columns of A are rotated against each
/// other until all are orthogonal; their lengths are the singular values.
///
/// Nothing is divided by singular values, so a matrix of lower rank needs no care. Source: Golub and
/// Van Loan, Matrix Computations, 4th ed., section 8.6.3; rotation angle as in algorithm 8.5.1.
package struct SingularValues {
  /// `U S`, `[m, k]` with k = min(m, n), longest column first.
  package let scaledLeft: Matrix
  /// `V`, `[n, k]`, orthonormal columns.
  package let right: Matrix
  /// The k lengths, descending.
  package let values: [Double]

  /// Rotations end when every pair of columns has a cosine below this times their length.
  private static let tolerance = Double.ulpOfOne
  private static let sweepLimit = 60

  /// Decomposes a matrix of any shape.
  package init(_ a: Matrix) {
    var (work, v) = (a, Matrix(rows: a.columns, columns: a.columns))
    for j in 0..<a.columns { v[j, j] = 1 }
    for _ in 0..<SingularValues.sweepLimit where SingularValues.sweep(&work, &v) == 0 { break }
    let lengths = (0..<a.columns).map { j in
      work.values[(j * a.rows)..<((j + 1) * a.rows)].reduce(0) { $0 + $1 * $1 }.squareRoot()
    }
    let order = lengths.indices.sorted { (lengths[$1], $0) < (lengths[$0], $1) }
      .prefix(min(a.rows, a.columns))
    scaledLeft = SingularValues.columns(order, of: work)
    right = SingularValues.columns(order, of: v)
    values = order.map { lengths[$0] }
  }

  private static func columns(_ order: some Sequence<Int>, of a: Matrix) -> Matrix {
    let kept = Array(order)
    var y = Matrix(rows: a.rows, columns: kept.count)
    for (j, source) in kept.enumerated() {
      for i in 0..<a.rows { y[i, j] = a[i, source] }
    }
    return y
  }

  /// Rotates every pair of columns once; returns how many pairs were not orthogonal.
  private static func sweep(_ a: inout Matrix, _ v: inout Matrix) -> Int {
    let (m, n) = (a.rows, a.columns)
    var rotations = 0
    a.values.withUnsafeMutableBufferPointer { a in
      v.values.withUnsafeMutableBufferPointer { v in
        for p in 0..<max(0, n - 1) {
          for q in (p + 1)..<n {
            guard let (c, s) = rotation(a, p * m, q * m, m) else { continue }
            rotations += 1
            rotate(a, p * m, q * m, m, c, s)
            rotate(v, p * n, q * n, n, c, s)
          }
        }
      }
    }
    return rotations
  }

  /// Cosine and sine that make two columns orthogonal, `nil` when they are.
  private static func rotation(
    _ a: UnsafeMutableBufferPointer<Double>, _ p: Int, _ q: Int, _ count: Int
  ) -> (c: Double, s: Double)? {
    var (pp, qq, pq) = (0.0, 0.0, 0.0)
    for i in 0..<count {
      let (x, y) = (a[p + i], a[q + i])
      pp += x * x
      qq += y * y
      pq += x * y
    }
    // Below the square of the smallest normal number a column is zero for all purposes.
    guard abs(pq) > tolerance * Double(count) * (pp * qq).squareRoot(),
      abs(pq) > .leastNormalMagnitude
    else {
      return nil
    }
    let tau = (qq - pp) / (2 * pq)
    let t = (tau < 0 ? -1 : 1) / (abs(tau) + (1 + tau * tau).squareRoot())
    let c = 1 / (1 + t * t).squareRoot()
    return (c, t * c)
  }

  private static func rotate(
    _ a: UnsafeMutableBufferPointer<Double>, _ p: Int, _ q: Int, _ count: Int, _ c: Double,
    _ s: Double
  ) {
    for i in 0..<count {
      let (x, y) = (a[p + i], a[q + i])
      a[p + i] = c * x - s * y
      a[q + i] = s * x + c * y
    }
  }
}
