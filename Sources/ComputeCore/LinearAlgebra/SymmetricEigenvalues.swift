import CKernels
import Glibc

extension DoubleMatrix {
  /// The eigenvalues of a symmetric matrix, in ascending order.
  ///
  /// Householder's reduction to three diagonals, then the QL algorithm with implicit shifts; both
  /// are exact to rounding errors of the largest eigenvalue. Source: Golub & Van Loan, "Matrix
  /// Computations", 8.3.1, and Dubrulle, Martin & Wilkinson 1968, "The implicit QL algorithm".
  package func symmetricEigenvalues() -> [Double] {
    precondition(rows == columns, "symmetricEigenvalues: \(rows)x\(columns) is not square")
    var (diagonal, beside) = tridiagonal()
    diagonalize(&diagonal, &beside)
    return diagonal.sorted()
  }

  /// The diagonal `[n]` and the elements beside it `[n]`, the last of which is 0, of a matrix of
  /// three diagonals with the same eigenvalues.
  private func tridiagonal() -> (diagonal: [Double], beside: [Double]) {
    let n = rows
    var diagonal = [Double](repeating: 0, count: n)
    var beside = [Double](repeating: 0, count: n)
    var matrix = self
    var reduction = HouseholderReduction(n)
    matrix.values.withUnsafeMutableBufferPointer { buffer in
      guard let a = buffer.baseAddress else { return }
      for k in 0..<n {
        diagonal[k] = reduction.columnHead(a, k)
        beside[k] = reduction.reflect(a, k)
      }
    }
    return (diagonal, beside)
  }
}

/// The state between two steps: the last reflection is still to be applied to the matrix, which
/// the next step does in the pass that it needs for its own product.
private struct HouseholderReduction {
  private let n: Int
  /// The reflection to apply, `a -= v wᵀ + w vᵀ`, for rows and columns from `k` on.
  private var v: [Double]
  private var w: [Double]
  /// Row `k` of the matrix after that.
  private var row: [Double]

  init(_ n: Int) {
    self.n = n
    v = [Double](repeating: 0, count: n)
    (w, row) = (v, v)
  }

  /// Brings row `k` up to date and returns its diagonal element.
  mutating func columnHead(_ a: UnsafeMutablePointer<Double>, _ k: Int) -> Double {
    for j in k..<n { row[j] = a[k * n + j] - (v[k] * w[j] + w[k] * v[j]) }
    return row[k]
  }

  /// Finds the reflection that clears row `k` from `k + 2` on; returns what stays at `k + 1`.
  mutating func reflect(_ a: UnsafeMutablePointer<Double>, _ k: Int) -> Double {
    let first = k + 1
    guard first < n else { return 0 }
    var scale = 0.0
    for j in first..<n { scale = max(scale, row[j].magnitude) }
    var squares = 0.0
    if scale > 0 { for j in first..<n { squares += (row[j] / scale) * (row[j] / scale) } }
    let norm = scale * squares.squareRoot()
    let alpha = row[first] > 0 ? -norm : norm
    var u = [Double](repeating: 0, count: n)
    for j in first..<n { u[j] = row[j] }
    u[first] -= alpha
    // β = 2 / uᵀu, and uᵀu = 2 norm (norm + |row[first]|)
    let half = norm * (norm + row[first].magnitude)
    let p = applied(to: a, from: first, times: u)
    guard half > 0, half.isFinite else {
      (v, w) = ([Double](repeating: 0, count: n), [Double](repeating: 0, count: n))
      return norm == 0 ? 0 : alpha
    }
    var inner = 0.0
    for j in first..<n { inner += p[j] * u[j] }
    let correction = inner / half / half / 2
    for j in first..<n { w[j] = p[j] / half - correction * u[j] }
    v = u
    return alpha
  }

  /// Applies the pending reflection to rows and columns from `first` on and multiplies the result
  /// by `u`.
  private func applied(
    to a: UnsafeMutablePointer<Double>, from first: Int, times u: [Double]
  ) -> [Double] {
    var p = [Double](repeating: 0, count: n)
    let count = n - first
    p.withUnsafeMutableBufferPointer { p in
      v.withUnsafeBufferPointer { v in
        w.withUnsafeBufferPointer { w in
          u.withUnsafeBufferPointer { u in
            guard let p = p.baseAddress, let v = v.baseAddress, let w = w.baseAddress,
              let u = u.baseAddress
            else { return }
            parallelChunks(count, chunk: max(16, 65_536 / max(1, count))) { rows in
              ck_reflect_rows_f64(
                p + first + rows.lowerBound, a + (first + rows.lowerBound) * n + first, n,
                v + first, w + first, u + first, rows.lowerBound, rows.count, count)
            }
          }
        }
      }
    }
    return p
  }
}

/// Turns `diagonal` into the eigenvalues of the matrix that has `beside` next to it.
private func diagonalize(_ diagonal: inout [Double], _ beside: inout [Double]) {
  let n = diagonal.count
  let norm = (0..<n).reduce(0) { max($0, diagonal[$1].magnitude + beside[$1].magnitude) }
  let negligible = norm * Double.ulpOfOne * 1e-3
  func split(from start: Int) -> Int {
    var m = start
    while m < n - 1 {
      let size = diagonal[m].magnitude + diagonal[m + 1].magnitude
      if beside[m].magnitude <= max(size * Double.ulpOfOne, negligible) { break }
      m += 1
    }
    return m
  }
  for l in 0..<n {
    // Two or three rounds each are usual; what has not converged after many is a NaN.
    for _ in 0..<100 {
      let m = split(from: l)
      if m == l { break }
      chase(&diagonal, &beside, l, m)
    }
  }
}

/// One round of the QL algorithm on the rows `l...m`.
private func chase(_ d: inout [Double], _ e: inout [Double], _ l: Int, _ m: Int) {
  var g = (d[l + 1] - d[l]) / (2 * e[l])
  let r = hypot(g, 1)
  g = d[m] - d[l] + e[l] / (g + (g < 0 ? -r : r))
  var (s, c, p) = (1.0, 1.0, 0.0)
  for i in stride(from: m - 1, through: l, by: -1) {
    let (f, b) = (s * e[i], c * e[i])
    let r = hypot(f, g)
    e[i + 1] = r
    if r == 0 {
      d[i + 1] -= p
      e[m] = 0
      return
    }
    (s, c) = (f / r, g / r)
    g = d[i + 1] - p
    let t = (d[i] - g) * s + 2 * c * b
    p = s * t
    d[i + 1] = g + p
    g = c * t - b
  }
  d[l] -= p
  e[l] = g
  e[m] = 0
}
