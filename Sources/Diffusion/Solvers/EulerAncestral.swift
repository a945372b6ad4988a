import ComputeCore

/// Euler's method to below the next noise level, then noise back up to it.
///
/// Variance-exploding samples. Source: k-diffusion `sampling.py`, `sample_euler_ancestral`; equals
/// diffusers' `EulerAncestralDiscreteScheduler`, which draws noise in the last step too.
public struct EulerAncestral: Solver {
  /// A solver.
  public init() {}

  /// A step with one evaluation of the model and one draw of noise.
  public func step(
    _ sample: Tensor, _ transition: Transition,
    predict: (Tensor, NoiseLevel) -> Prediction, noise: inout any NoiseSource
  ) -> Tensor {
    let (sigma, next) = (transition.level.sigma, transition.next.sigma)
    let up = (next * next * (sigma * sigma - next * next) / (sigma * sigma)).squareRoot()
    let down = (next * next - up * up).squareRoot()
    let derivative = (sample - predict(sample, transition.level).denoised) / sigma
    return sample + derivative * (down - sigma) + noise.noise(sample.shape) * up
  }
}
