import ComputeCore

/// One rule for moving a sample to a lower noise level; keeps history for multistep methods.
///
/// A new solver is a type with this one method, a case in `SamplerName.Algorithm` and a line in its
/// table of names, and its noise levels in `Timetable`.
public protocol Solver {
  /// Moves `sample` `[N, H, W, C]` from `transition.level` to `transition.next`.
  ///
  /// - Parameters:
  ///   - sample: in the scaling of the transition's levels.
  ///   - transition: the step to take.
  ///   - predict: evaluates the model for a sample at a level; at least once. Methods of higher
  ///     order call it again, at a level between the two or at the next one.
  ///   - noise: fresh random numbers for solvers that add noise.
  /// - Returns: the sample at `transition.next`.
  mutating func step(
    _ sample: Tensor, _ transition: Transition,
    predict: (_ sample: Tensor, _ level: NoiseLevel) -> Prediction, noise: inout any NoiseSource
  ) -> Tensor
}

/// How an ancestral step is parted: down to `down` without noise, then up by noise to `next`.
///
/// Source: k-diffusion `sampling.py`, `get_ancestral_step`: with the variance of DDPM's posterior.
/// In 32 bits as there, for `down` is a small difference of large numbers.
func ancestral(from sigma: Float, to next: Float) -> (down: Float, up: Float) {
  let up = (next * next * (sigma * sigma - next * next) / (sigma * sigma)).squareRoot()
  let held = min(next, up)
  return ((next * next - held * held).squareRoot(), held)
}

extension Prediction {
  /// `dx/dσ` of the probability flow, for variance-exploding and flow samples.
  ///
  /// Source: Karras et al. 2022, arXiv:2206.00364 eq. 3.
  var derivative: Tensor { (sample - denoised) / level.sigma }
}
