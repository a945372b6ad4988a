import ComputeCore

/// Latent consistency models: to the clean picture in one step, and back to the next level by noise.
///
/// Variance-preserving samples. Source: Luo et al. 2023, arXiv:2310.04378, Algorithm 3; equals
/// diffusers' `LCMScheduler`.
public struct LCM: Solver {
  /// Factor of the timestep in the boundary condition.
  public let timestepScaling: Float

  /// A solver for models distilled with this factor.
  public init(timestepScaling: Float = 10) {
    self.timestepScaling = timestepScaling
  }

  /// A step with one evaluation of the model and, unless it is the last, one draw of noise.
  public func step(
    _ sample: Tensor, _ transition: Transition,
    predict: (Tensor, NoiseLevel) -> Prediction, noise: inout any NoiseSource
  ) -> Tensor {
    let time = transition.level.timestep * timestepScaling
    let data: Float = 0.5
    let skip = data * data / (time * time + data * data)
    let out = time / (time * time + data * data).squareRoot()
    let denoised = predict(sample, transition.level).denoised * out + sample * skip
    guard !transition.isLast else { return denoised }
    return denoised * transition.next.alpha + noise.noise(sample.shape) * transition.next.sigma
  }
}

/// Trajectory consistency distillation: past the next level, and back to it by noise.
///
/// Variance-preserving samples. Source: Zheng et al. 2024, arXiv:2402.19159, Algorithm 2 (strategic
/// stochastic sampling); equals diffusers' `TCDScheduler`.
public struct TCD: Solver {
  /// How far past the next level a step goes, as a part of what is left: 0 not at all, 1 all of it.
  public let eta: Float

  /// A solver; diffusers' default for `eta` is 0.3, that of its pipelines 0.
  public init(eta: Float = 0) {
    self.eta = eta
  }

  /// A step with one evaluation of the model; draws noise when `eta` is above 0, but not at the end.
  public func step(
    _ sample: Tensor, _ transition: Transition,
    predict: (Tensor, NoiseLevel) -> Prediction, noise: inout any NoiseSource
  ) -> Tensor {
    let next = transition.next
    let target = transition.trained(Int((1 - eta) * next.timestep))
    let moved = predict(sample, transition.level).moved(to: target)
    guard eta > 0, !transition.isLast else { return moved }
    let ratio = next.alphaCumprod / target.alphaCumprod
    return moved * ratio.squareRoot() + noise.noise(sample.shape) * max(0, 1 - ratio).squareRoot()
  }
}
