import ComputeCore
import Glibc

/// Diffusion exponential integrator: a polynomial through the last noise estimates, in the
/// logarithm of the noise level ("log-rho").
///
/// Variance-preserving samples. Source: Zhang & Chen 2023, arXiv:2204.13902 eq. 15 with the
/// polynomial in `log ρ`; equals diffusers' `DEISMultistepScheduler`.
public struct DEIS: Solver {
  /// The most noise estimates that a step uses, 1 to 3.
  public let order: Int
  private let lowerOrderFinal: Bool
  private var history: [(noise: Tensor, level: NoiseLevel)] = []

  /// A solver that has no history yet.
  ///
  /// - Parameters:
  ///   - order: 1 to 3.
  ///   - lowerOrderFinal: whether the last two of fewer than 15 steps are of order 2 and 1.
  public init(order: Int = 2, lowerOrderFinal: Bool = true) {
    precondition((1...3).contains(order), "DEIS: the order must be 1 to 3, got \(order)")
    self.order = order
    self.lowerOrderFinal = lowerOrderFinal
  }

  /// A step with one evaluation of the model; draws no noise.
  public mutating func step(
    _ sample: Tensor, _ transition: Transition,
    predict: (Tensor, NoiseLevel) -> Prediction, noise: inout any NoiseSource
  ) -> Tensor {
    let (level, next) = (transition.level, transition.next)
    history.insert((predict(sample, level).noise, level), at: 0)
    history = Array(history.prefix(order))
    let used = history.prefix(order(transition))
    let basis = lagrangeBasis(used.map { level.logSNR - $0.level.logSNR })
    let moved = zip(basis, used).reduce(sample / level.alpha) { sum, term in
      let (polynomial, past) = term
      let rho = Double(level.sigmaRatio)
      return sum + past.noise * Float(rho * integral(polynomial, to: level.logSNR - next.logSNR))
    }
    return moved * next.alpha
  }

  private func order(_ transition: Transition) -> Int {
    let left = transition.count - transition.index
    return lowerOrderFinal && transition.count < 15 ? min(order, left) : order
  }

  /// `∫ p(u)·eᵘ du` from 0 to `end`, which may be −∞: `eᵘ·(p − p′ + p″ − …)`.
  private func integral(_ polynomial: [Double], to end: Double) -> Double {
    var (sum, term, sign) = (0.0, polynomial, 1.0)
    while !term.isEmpty {
      let upper = end == -.infinity ? 0 : exp(end) * value(term, at: end)
      sum += sign * (upper - term[0])
      (term, sign) = (derivative(of: term), -sign)
    }
    return sum
  }
}
