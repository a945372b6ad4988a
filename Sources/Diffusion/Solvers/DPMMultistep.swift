import ComputeCore
import Glibc

/// DPM-Solver++ with the estimates of the last steps: 2M and 3M, and their SDE forms.
///
/// Variance-preserving samples. Source: Lu et al. 2022, arXiv:2211.01095, Algorithm 2 and, for the
/// SDE and the third order, k-diffusion `sampling.py`, `sample_dpmpp_2m_sde` and
/// `sample_dpmpp_3m_sde`. Equals diffusers' `DPMSolverMultistepScheduler` with `dpmsolver++` or
/// `sde-dpmsolver++`.
public struct DPMMultistep: Solver {
  /// How a second-order step continues the line through two estimates.
  public enum Variant: String, CaseIterable, Sendable {
    /// As if it had its value in the middle of the step throughout.
    case midpoint
    /// Exactly.
    case heun
  }

  /// What distinguishes the members of the family.
  public struct Options: Equatable, Sendable {
    /// The most estimates that a step uses, 1 to 3.
    public var order = 2
    /// The form of steps of order 2.
    public var variant = Variant.midpoint
    /// Whether the reverse SDE is solved: with fresh noise in each step.
    public var isStochastic = false
    /// Whether the last two of fewer than 15 steps are of order 2 and 1.
    public var lowerOrderFinal = true
    /// Whether the last step is always of order 1.
    public var eulerAtFinal = false
    /// Whether stochastic steps of order 3 have the curvature term of diffusers (0.42), which is
    /// smaller by 1 than that of k-diffusion.
    public var hasDiffusersCurvature = false

    /// DPM++ 2M.
    public init() {}
  }

  private let options: Options
  private var history: [(denoised: Tensor, level: NoiseLevel)] = []

  /// A solver that has no history yet; a step to a clean picture is always of order 1.
  public init(_ options: Options = Options()) {
    precondition(
      (1...3).contains(options.order), "DPM++: the order must be 1 to 3, got \(options.order)")
    self.options = options
  }

  /// A step with one evaluation of the model, and one draw of noise for the SDE forms.
  public mutating func step(
    _ sample: Tensor, _ transition: Transition,
    predict: (Tensor, NoiseLevel) -> Prediction, noise: inout any NoiseSource
  ) -> Tensor {
    let (level, next) = (transition.level, transition.next)
    let denoised = predict(sample, level).denoised
    history.insert((denoised, level), at: 0)
    history = Array(history.prefix(options.order))

    let h = next.logSNR - level.logSNR
    // The part of the old estimate that is left: exp(−decay).
    let decay = options.isStochastic ? 2 * h : h
    let gain = Double(next.alpha) * -expm1(-decay)
    let carry = Double(next.sigma / level.sigma) * (options.isStochastic ? exp(-h) : 1)
    var moved = sample * Float(carry) + denoised * Float(gain)
    switch order(transition) {
    case 2: moved = moved + secondOrder(h, decay, gain, next)
    case 3: moved = moved + thirdOrder(h, decay, next)
    default: break
    }
    guard options.isStochastic else { return moved }
    let deviation = next.sigma * Float((-expm1(-2 * h)).squareRoot())
    let fresh = noise.noise(sample.shape, from: level.sigmaRatio, to: next.sigmaRatio)
    return moved + fresh * deviation
  }

  private func order(_ transition: Transition) -> Int {
    if transition.next.sigma == 0 || (transition.isLast && options.eulerAtFinal) { return 1 }
    let lowers = options.lowerOrderFinal && transition.count < 15
    let left = lowers ? transition.count - transition.index : options.order
    return min(history.count, left)
  }

  /// What the slope of the estimates adds.
  private func secondOrder(
    _ h: Double, _ decay: Double, _ gain: Double, _ next: NoiseLevel
  ) -> Tensor {
    let factor =
      options.variant == .midpoint ? 0.5 * gain : Double(next.alpha) * slopeWeight(decay)
    return slope(0, h) * Float(factor)
  }

  /// What slope and curvature of the estimates add.
  private func thirdOrder(_ h: Double, _ decay: Double, _ next: NoiseLevel) -> Tensor {
    let (newer, older) = (slope(0, h), slope(1, h))
    let (r0, r1) = (distance(0) / h, distance(1) / h)
    let change = (newer - older) * Float(1 / (r0 + r1))
    let alpha = Double(next.alpha)
    let isShifted = options.isStochastic && options.hasDiffusersCurvature
    let curvature = 0.5 - slopeWeight(decay) / decay - (isShifted ? 1 : 0)
    return (newer + change * Float(r0)) * Float(alpha * slopeWeight(decay))
      + change * Float(alpha * curvature)
  }

  /// `1 − (1 − exp(−decay)) / decay`.
  private func slopeWeight(_ decay: Double) -> Double { 1 + expm1(-decay) / decay }

  /// The change from one estimate to the one before it, per length of the step.
  private func slope(_ index: Int, _ h: Double) -> Tensor {
    (history[index].denoised - history[index + 1].denoised) * Float(h / distance(index))
  }

  private func distance(_ index: Int) -> Double {
    history[index].level.logSNR - history[index + 1].level.logSNR
  }
}
