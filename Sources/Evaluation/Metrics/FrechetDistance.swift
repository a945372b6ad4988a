import ComputeCore

/// Fréchet distance of two Gaussians: how far two sets are apart in mean and covariance.
///
/// `|μ₁ − μ₂|² + tr(Σ₁ + Σ₂ − 2 (Σ₁ Σ₂)^½)`; the FID when the features are InceptionV3's. Source:
/// Dowson & Landau 1982, "The Fréchet distance between multivariate normal distributions", and
/// Heusel et al. 2017, arXiv:1706.08500, equation 6.
///
/// - Parameters:
///   - a: features of one set.
///   - b: features of the other, of the same network.
/// - Returns: at least 0; 0 for equal statistics.
public func frechetDistance(_ a: FeatureStatistics, _ b: FeatureStatistics) -> Double {
  frechetDistance(means: (a.mean, b.mean), covariances: (a.covariance, b.covariance))
}

/// The same of given means `[D]` and covariances `[D, D]`.
package func frechetDistance(
  means: ([Double], [Double]), covariances: (DoubleMatrix, DoubleMatrix)
) -> Double {
  precondition(
    means.0.count == means.1.count && covariances.0.rows == covariances.1.rows,
    "frechetDistance: \(means.0.count) and \(means.1.count) features")
  let shift = zip(means.0, means.1).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
  let root = traceOfProductRoot(covariances.0, covariances.1)
  return max(0, shift + covariances.0.trace + covariances.1.trace - 2 * root)
}

/// `tr (Σ₁ Σ₂)^½`, the sum of the roots of the eigenvalues of `Σ₁ Σ₂`.
///
/// With `Σ₁ = L Lᵀ` these are the eigenvalues of the symmetric `Lᵀ Σ₂ L`.
private func traceOfProductRoot(_ first: DoubleMatrix, _ second: DoubleMatrix) -> Double {
  let upper = first.choleskyFactor().transposed
  let left = DoubleMatrix.product(upper, transposing: second)
  let symmetric = DoubleMatrix.product(left, transposing: upper, isSymmetric: true)
  let eigenvalues = symmetric.symmetricEigenvalues()
  // Rounding errors of what should be 0 would count by their roots.
  let negligible = (eigenvalues.last ?? 0) * Double(eigenvalues.count) * Double.ulpOfOne
  return eigenvalues.reduce(0) { $0 + ($1 > negligible ? $1.squareRoot() : 0) }
}
