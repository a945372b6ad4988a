import ComputeCore

/// Denoising diffusion implicit models: a straight step along the predicted noise.
///
/// Variance-preserving samples. Source: Song et al. 2021, arXiv:2010.02502 eq. 12 and 16; equals
/// diffusers' `DDIMScheduler`.
public struct DDIM: Solver {
  /// Part of the noise that is drawn afresh: 0 none, 1 as much as DDPM draws.
  public let eta: Float

  /// A solver that draws a part `eta` (0…1) of the noise afresh.
  public init(eta: Float = 0) {
    self.eta = eta
  }

  /// A step with one evaluation of the model; draws noise when `eta` is above 0.
  public func step(
    _ sample: Tensor, _ transition: Transition,
    predict: (Tensor, NoiseLevel) -> Prediction, noise: inout any NoiseSource
  ) -> Tensor {
    let prediction = predict(sample, transition.level)
    guard eta > 0 else { return prediction.moved(to: transition.next) }
    let (alphaBar, nextAlphaBar) = (transition.level.alphaCumprod, transition.next.alphaCumprod)
    let variance = (1 - nextAlphaBar) / (1 - alphaBar) * (1 - alphaBar / nextAlphaBar)
    // Timesteps that are not evenly spaced can end at a level above the one they start from.
    let deviation = eta * max(0, variance).squareRoot()
    let direction = max(0, 1 - nextAlphaBar - deviation * deviation).squareRoot()
    let next = prediction.denoised * transition.next.alpha + prediction.noise * direction
    return next + noise.noise(sample.shape) * deviation
  }
}
