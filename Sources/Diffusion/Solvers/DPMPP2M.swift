import ComputeCore
import Glibc

/// DPM-Solver++(2M): second order from the estimates of two successive steps.
///
/// Variance-preserving samples. Source: Lu et al. 2022, arXiv:2211.01095, Algorithm 2; equals
/// diffusers' `DPMSolverMultistepScheduler` with `dpmsolver++`, order 2, `midpoint`.
public struct DPMPP2M: Solver {
  private let lowerOrderFinal: Bool
  private let eulerAtFinal: Bool
  private var previous: (denoised: Tensor, level: NoiseLevel)?

  /// A solver that has no history yet.
  ///
  /// A step to a clean picture is always first order.
  ///
  /// - Parameters:
  ///   - lowerOrderFinal: whether the last of fewer than 15 steps is first order.
  ///   - eulerAtFinal: whether the last step is always first order.
  public init(lowerOrderFinal: Bool = true, eulerAtFinal: Bool = false) {
    self.lowerOrderFinal = lowerOrderFinal
    self.eulerAtFinal = eulerAtFinal
  }

  /// A step with one evaluation of the model, kept for the next step; draws no noise.
  public mutating func step(
    _ sample: Tensor, _ transition: Transition,
    predict: (Tensor, NoiseLevel) -> Prediction, noise: inout any NoiseSource
  ) -> Tensor {
    let (level, next) = (transition.level, transition.next)
    let denoised = predict(sample, level).denoised
    defer { previous = (denoised, level) }
    // 1 − exp(−h) with h = λ(next) − λ(level), λ = log(alpha / sigma); 1 when next is clean.
    let h = next.logSNR - level.logSNR
    let gain = Float(Double(next.alpha) * -expm1(-h))
    let first = sample * (next.sigma / level.sigma) + denoised * gain
    guard let previous, !isFirstOrder(transition) else { return first }
    let ratio = Float((level.logSNR - previous.level.logSNR) / h)
    return first + (denoised - previous.denoised) * (0.5 * gain / ratio)
  }

  private func isFirstOrder(_ transition: Transition) -> Bool {
    transition.next.sigma == 0
      || (transition.isLast
        && (eulerAtFinal || (lowerOrderFinal && transition.count < 15)))
  }
}

extension NoiseLevel {
  /// Half the logarithm of the signal-to-noise ratio, `log(alpha / sigma)`.
  fileprivate var logSNR: Double { log(Double(alpha)) - log(Double(sigma)) }
}
