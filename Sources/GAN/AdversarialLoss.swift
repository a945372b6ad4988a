import ComputeCore

/// What generator and discriminator play for.
public enum AdversarialLoss: String, CaseIterable, Codable, Sendable {
  /// Each real picture against a fake one, `softplus(-(D(x) - D(G(z))))`.
  ///
  /// Source: Jolicoeur-Martineau 2018, arXiv:1807.00734; with R1 and R2: R3GAN, arXiv:2501.05441,
  /// equation 2.
  case relativistic
  /// `softplus(-D(x)) + softplus(D(G(z)))` against `softplus(-D(G(z)))`.
  ///
  /// Source: Goodfellow et al. 2014, arXiv:1406.2661, section 3.
  case nonSaturating = "non-saturating"
  /// `max(0, 1 - D(x)) + max(0, 1 + D(G(z)))` against `-D(G(z))`.
  ///
  /// Source: Lim and Ye 2017, arXiv:1705.02894.
  case hinge
  /// `D(G(z)) - D(x)` against `-D(G(z))`.
  ///
  /// Source: Arjovsky et al. 2017, arXiv:1701.07875.
  case wasserstein

  /// The discriminator's loss.
  ///
  /// - Parameters:
  ///   - real: logits of real pictures, `[N]`.
  ///   - fake: logits of generated ones, `[N]`.
  /// - Returns: the mean over the batch, `[]`.
  public func ofDiscriminator(real: Tensor, fake: Tensor) -> Tensor {
    switch self {
    case .relativistic: meanSoftplus(fake - real)
    case .nonSaturating: meanSoftplus(-real) + meanSoftplus(fake)
    case .hinge: relu(1 - real).mean() + relu(1 + fake).mean()
    case .wasserstein: (fake - real).mean()
    }
  }

  /// The generator's loss.
  ///
  /// - Parameters:
  ///   - real: logits of real pictures, `[N]`; only `.relativistic` uses them.
  ///   - fake: logits of generated ones, `[N]`.
  /// - Returns: the mean over the batch, `[]`.
  public func ofGenerator(real: Tensor, fake: Tensor) -> Tensor {
    switch self {
    case .relativistic: meanSoftplus(real - fake)
    case .nonSaturating: meanSoftplus(-fake)
    case .hinge, .wasserstein: -fake.mean()
    }
  }
}

/// Mean of `ln(1 + eˣ)`.
private func meanSoftplus(_ x: Tensor) -> Tensor {
  bceWithLogits(x, .zeros(x.shape))
}
