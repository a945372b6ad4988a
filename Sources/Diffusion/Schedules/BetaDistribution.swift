import Glibc

/// The beta distribution over 0…1, for `SigmaSchedule.beta`.
package struct BetaDistribution {
  private let alpha: Double
  private let beta: Double

  /// The distribution with density `x^(alpha − 1)·(1 − x)^(beta − 1)` but for a factor.
  ///
  /// Both parameters must be above 0.
  package init(alpha: Double, beta: Double) {
    (self.alpha, self.beta) = (alpha, beta)
  }

  /// The number below which a part `probability` of the distribution lies.
  ///
  /// By halving the interval until it does not get smaller.
  package func quantile(_ probability: Double) -> Double {
    if probability <= 0 { return 0 }
    if probability >= 1 { return 1 }
    var (low, high) = (0.0, 1.0)
    while true {
      let middle = (low + high) / 2
      if middle <= low || middle >= high { return middle }
      if cumulative(middle) < probability { low = middle } else { high = middle }
    }
  }

  /// The regularized incomplete beta function.
  ///
  /// Source: DLMF 8.17.22, the continued fraction, which converges fast below about the mean.
  package func cumulative(_ x: Double) -> Double {
    if x <= 0 { return 0 }
    if x >= 1 { return 1 }
    return x < (alpha + 1) / (alpha + beta + 2)
      ? continuedFraction(alpha, beta, x) : 1 - continuedFraction(beta, alpha, 1 - x)
  }

  private func continuedFraction(_ a: Double, _ b: Double, _ x: Double) -> Double {
    // 1 + d₁/(1 + d₂/(1 + …)), from far inside out.
    let denominator = (1...100).reversed().reduce(1.0) { inner, index in
      let m = Double(index / 2)
      let term =
        index % 2 == 0
        ? m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        : -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
      return 1 + term / inner
    }
    let logFront = lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x)
    return exp(logFront) / (a * denominator)
  }
}
