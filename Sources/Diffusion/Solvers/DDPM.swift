import ComputeCore

/// Ancestral sampling of the model's own Markov chain, with as many steps left out as wanted.
///
/// Variance-preserving samples. Source: Ho et al. 2020, arXiv:2006.11239 eq. 7; equals diffusers'
/// `DDPMScheduler`.
public struct DDPM: Solver {
  /// The variance of the noise that a step adds; raw values are diffusers' names.
  public enum Variance: String, CaseIterable, Sendable {
    /// That of the posterior given the clean picture.
    case fixedSmall = "fixed_small"
    /// That of the forward step.
    case fixedLarge = "fixed_large"
  }

  /// The variance of the noise that a step adds.
  public let variance: Variance

  /// A solver with a given variance.
  public init(variance: Variance = .fixedSmall) {
    self.variance = variance
  }

  /// A step to the mean of the posterior plus noise, which the step from timestep 0 leaves out.
  public func step(
    _ sample: Tensor, _ transition: Transition,
    predict: (Tensor, NoiseLevel) -> Prediction, noise: inout any NoiseSource
  ) -> Tensor {
    let denoised = predict(sample, transition.level).denoised
    let (alphaBar, nextAlphaBar) = (transition.level.alphaCumprod, transition.next.alphaCumprod)
    let (betaBar, nextBetaBar) = (1 - alphaBar, 1 - nextAlphaBar)
    let alpha = alphaBar / nextAlphaBar
    let beta = 1 - alpha
    let mean =
      denoised * (nextAlphaBar.squareRoot() * beta / betaBar)
      + sample * (alpha.squareRoot() * nextBetaBar / betaBar)
    guard transition.level.timestep > 0 else { return mean }
    let posterior = max(nextBetaBar / betaBar * beta, 1e-20)
    let added = variance == .fixedSmall ? posterior : beta
    return mean + noise.noise(sample.shape) * added.squareRoot()
  }
}
