import Diffusion
import Testing

@Suite struct BetaDistributionTests {
  /// `scipy.stats.beta.ppf` of SciPy 1.17.
  @Test(arguments: [
    (0.6, 0.6, 0.01, 0.0008612388215429059), (0.6, 0.6, 0.05, 0.012554456873611399),
    (0.6, 0.6, 0.3, 0.23401700387523572), (0.6, 0.6, 0.5, 0.5), (2, 5, 0.9, 0.5103163065514917),
  ]) func quantilesEqualSciPy(_ alpha: Double, _ beta: Double, _ p: Double, _ expected: Double) {
    #expect(abs(BetaDistribution(alpha: alpha, beta: beta).quantile(p) - expected) < 1e-12)
  }

  /// Closed forms: the uniform distribution.
  @Test(arguments: [0, 0.001, 0.2, 0.5, 0.77, 0.999, 1]) func closedForms(_ x: Double) {
    #expect(abs(BetaDistribution(alpha: 1, beta: 1).cumulative(x) - x) < 1e-14)
    #expect(abs(BetaDistribution(alpha: 1, beta: 1).quantile(x) - x) < 1e-14)
  }
}
