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
    let sigma = transition.level.sigma
    let (down, up) = ancestral(from: sigma, to: transition.next.sigma)
    let derivative = predict(sample, transition.level).derivative
    return sample + derivative * (down - sigma) + noise.noise(sample.shape) * up
  }
}
