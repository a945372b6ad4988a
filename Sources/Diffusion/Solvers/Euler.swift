import ComputeCore

/// Euler's method for the probability-flow ODE; first order.
///
/// Variance-exploding or flow samples. Source: Karras et al. 2022, arXiv:2206.00364, Algorithm 1
/// without the correction; equals diffusers' `EulerDiscreteScheduler` and, for flow models,
/// `FlowMatchEulerDiscreteScheduler`.
public struct Euler: Solver {
  /// A solver.
  public init() {}

  /// A step with one evaluation of the model; draws no noise.
  public func step(
    _ sample: Tensor, _ transition: Transition,
    predict: (Tensor, NoiseLevel) -> Prediction, noise: inout any NoiseSource
  ) -> Tensor {
    let length = transition.next.sigma - transition.level.sigma
    return sample + predict(sample, transition.level).derivative * length
  }
}
