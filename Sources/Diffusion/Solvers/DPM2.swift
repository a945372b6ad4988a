import ComputeCore
import Glibc

/// DPM-Solver-2: the midpoint method in the logarithm of the noise level; second order.
///
/// Variance-exploding samples. Source: Lu et al. 2022, arXiv:2206.00927, Algorithm 1 in the form of
/// k-diffusion `sampling.py`, `sample_dpm_2` and `sample_dpm_2_ancestral`; equals diffusers'
/// `KDPM2DiscreteScheduler` and `KDPM2AncestralDiscreteScheduler`.
public struct DPM2: Solver {
  /// Whether a step goes below the next level and noise brings the sample back up to it.
  public let isAncestral: Bool

  /// A solver; the ancestral one draws noise in every step but the one to a clean picture.
  public init(isAncestral: Bool = false) {
    self.isAncestral = isAncestral
  }

  /// A step along the derivative at the middle; the step to a clean picture is Euler's.
  public func step(
    _ sample: Tensor, _ transition: Transition,
    predict: (Tensor, NoiseLevel) -> Prediction, noise: inout any NoiseSource
  ) -> Tensor {
    let (sigma, next) = (transition.level.sigma, transition.next.sigma)
    let (down, up) = isAncestral ? ancestral(from: sigma, to: next) : (next, 0)
    let derivative = predict(sample, transition.level).derivative
    guard down > 0 else { return sample - derivative * sigma }
    let middle = exp((log(sigma) + log(down)) / 2)
    let halfway = sample + derivative * (middle - sigma)
    let moved =
      sample + predict(halfway, transition.between(sigma: middle)).derivative * (down - sigma)
    return isAncestral ? moved + noise.noise(sample.shape) * up : moved
  }
}
