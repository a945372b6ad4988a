import ComputeCore
import Glibc

/// DPM-Solver++(2S) to below the next noise level, then noise back up to it; two evaluations.
///
/// Variance-exploding samples. Source: Lu et al. 2022, arXiv:2211.01095, Algorithm 1 in the form of
/// k-diffusion `sampling.py`, `sample_dpmpp_2s_ancestral`; diffusers has none.
public struct DPMPP2SAncestral: Solver {
  /// A solver.
  public init() {}

  /// A step with the estimate at the middle; the step to a clean picture is Euler's.
  public func step(
    _ sample: Tensor, _ transition: Transition,
    predict: (Tensor, NoiseLevel) -> Prediction, noise: inout any NoiseSource
  ) -> Tensor {
    let (sigma, next) = (transition.level.sigma, transition.next.sigma)
    let (down, up) = ancestral(from: sigma, to: next)
    let denoised = predict(sample, transition.level).denoised
    guard down > 0 else { return denoised }
    let middle = exp((log(sigma) + log(down)) / 2)
    let halfway = interpolated(denoised, sample, middle / sigma)
    let atMiddle = predict(halfway, transition.between(sigma: middle)).denoised
    return interpolated(atMiddle, sample, down / sigma) + noise.noise(sample.shape) * up
  }
}

/// DPM-Solver++ for the reverse SDE, single step; two evaluations and two draws of noise per step.
///
/// Variance-exploding samples. Source: k-diffusion `sampling.py`, `sample_dpmpp_sde` with `eta` 1
/// and `r` 1/2; equals diffusers' `DPMSolverSDEScheduler`. The noise of both draws comes from one
/// Brownian path there, see `BrownianNoise`.
public struct DPMPPSDE: Solver {
  /// A solver.
  public init() {}

  /// Goes to the middle and, with the estimate from there, from the start to the end.
  public func step(
    _ sample: Tensor, _ transition: Transition,
    predict: (Tensor, NoiseLevel) -> Prediction, noise: inout any NoiseSource
  ) -> Tensor {
    let (sigma, next) = (transition.level.sigma, transition.next.sigma)
    let denoised = predict(sample, transition.level).denoised
    guard next > 0 else { return denoised }
    // To logarithms and back in 32 bits as there: a path is as fine as the last bit.
    let (time, end) = (-log(sigma), -log(next))
    let (start, middle) = (exp(-time), exp(-(time + (end - time) * 0.5)))
    func moved(to target: Float, _ estimate: Tensor) -> Tensor {
      let (down, up) = ancestral(from: start, to: target)
      let fresh = noise.noise(sample.shape, from: start, to: target)
      return interpolated(estimate, sample, down / start) + fresh * up
    }
    let halfway = moved(to: middle, denoised)
    return moved(to: exp(-end), predict(halfway, transition.between(sigma: middle)).denoised)
  }
}

/// `estimate + share · (sample − estimate)`: the exact step for an estimate that does not change.
private func interpolated(_ estimate: Tensor, _ sample: Tensor, _ share: Float) -> Tensor {
  sample * share + estimate * (1 - share)
}
