import ComputeCore

/// Heun's method for the probability-flow ODE; second order, two evaluations per step.
///
/// Variance-exploding or flow samples. Source: Karras et al. 2022, arXiv:2206.00364, Algorithm 1;
/// equals diffusers' `HeunDiscreteScheduler`.
public struct Heun: Solver {
  /// A solver.
  public init() {}

  /// A step along the mean of the derivatives at both ends; the step to a clean picture is Euler's.
  public func step(
    _ sample: Tensor, _ transition: Transition,
    predict: (Tensor, NoiseLevel) -> Prediction, noise: inout any NoiseSource
  ) -> Tensor {
    let (level, next) = (transition.level, transition.next)
    let length = next.sigma - level.sigma
    let derivative = predict(sample, level).derivative
    let euler = sample + derivative * length
    guard next.sigma > 0 else { return euler }
    return sample + (derivative + predict(euler, next).derivative) * (0.5 * length)
  }
}
