import ComputeCore

/// One rule for moving a sample to a lower noise level; keeps history for multistep methods.
///
/// A new solver is a type with this one method, a case in `SamplerName.Algorithm`, and its noise
/// levels in `Timetable`.
public protocol Solver {
  /// Moves `sample` `[N, H, W, C]` from `transition.level` to `transition.next`.
  ///
  /// - Parameters:
  ///   - sample: in the scaling of the transition's levels.
  ///   - transition: the step to take.
  ///   - predict: evaluates the model for a sample at a level; at least once.
  ///   - noise: fresh random numbers for solvers that add noise.
  /// - Returns: the sample at `transition.next`.
  mutating func step(
    _ sample: Tensor, _ transition: Transition,
    predict: (_ sample: Tensor, _ level: NoiseLevel) -> Prediction, noise: inout any NoiseSource
  ) -> Tensor
}
