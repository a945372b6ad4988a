import ComputeCore

/// Linear multistep (Adams-Bashforth) method with steps of any length.
///
/// Variance-exploding samples. Source: Katherine Crowson's k-diffusion `sampling.py`, `sample_lms`;
/// equals diffusers' `LMSDiscreteScheduler`, whose integrals are found numerically. A run that
/// starts in the middle begins with lower orders, where diffusers leaves out the missing terms of
/// the full one.
public struct LMS: Solver {
  /// The most derivatives that a step uses.
  public let order: Int
  private var history: [(derivative: Tensor, sigma: Double)] = []

  /// A solver that has no history yet; `order` is at least 1.
  public init(order: Int = 4) {
    precondition(order >= 1, "LMS: the order must be at least 1, got \(order)")
    self.order = order
  }

  /// A step along the polynomial through the last derivatives; draws no noise.
  public mutating func step(
    _ sample: Tensor, _ transition: Transition,
    predict: (Tensor, NoiseLevel) -> Prediction, noise: inout any NoiseSource
  ) -> Tensor {
    let sigma = Double(transition.level.sigma)
    history.insert((predict(sample, transition.level).derivative, sigma), at: 0)
    history = Array(history.prefix(order))
    let length = Double(transition.next.sigma) - sigma
    let basis = lagrangeBasis(history.map { $0.sigma - sigma })
    return zip(basis, history).reduce(sample) { sum, term in
      let (polynomial, past) = term
      let integral = polynomial.enumerated().map { $1 / Double($0 + 1) }
      return sum + past.derivative * Float(length * value(integral, at: length))
    }
  }
}
