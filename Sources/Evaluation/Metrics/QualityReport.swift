import ComputeCore

/// How far a set of made pictures is from the real ones, in figures.
public struct QualityReport: Codable, Equatable, Sendable {
  /// Network whose features were compared; figures of different networks cannot be.
  public let network: String
  /// Number of real pictures.
  public let realCount: Int
  /// Number of made pictures.
  public let fakeCount: Int
  /// Fréchet distance, `FD-<network>`.
  ///
  /// It depends on the counts: compare equal ones only.
  public let frechetDistance: Double
  /// Kernel distance, `KD-<network>`.
  public let kernelDistance: KernelDistance
  /// Precision, recall, density and coverage.
  public let manifold: ManifoldMetrics
}

extension FeatureStatistics {
  /// Measures made pictures against these real ones.
  ///
  /// - Parameters:
  ///   - fake: features of the made pictures by the same network, `[N, D]`.
  ///   - name: of the made set, for messages.
  ///   - settings: how much work the kernel distance may be.
  /// - Returns: all figures.
  /// - Throws: `EvaluationError.tooFew` or `.wrongFeatures`.
  public func report(
    on fake: Tensor, name: String = "the made set",
    settings: KernelDistance.Settings = KernelDistance.Settings()
  ) throws(EvaluationError) -> QualityReport {
    guard fake.rank == 2, fake.shape[1] == channels else {
      throw .wrongFeatures(
        "the features of \(name) have the shape \(fake.shape), those of the real pictures have "
          + "\(channels) numbers each; use one network for both")
    }
    return report(on: try FeatureStatistics(fake, network: network, name: name), settings: settings)
  }

  /// The same of statistics that exist already.
  public func report(
    on fake: FeatureStatistics, settings: KernelDistance.Settings = KernelDistance.Settings()
  ) -> QualityReport {
    QualityReport(
      network: network, realCount: count, fakeCount: fake.count,
      frechetDistance: frechetDistance(self, fake),
      kernelDistance: kernelDistance(self, fake, settings: settings),
      manifold: manifoldMetrics(real: self, fake: fake))
  }
}
