import ComputeCore

/// Linear multistep (Adams-Bashforth) method with steps of any length.
///
/// Variance-exploding samples. Source: Katherine Crowson's k-diffusion `sampling.py`, `sample_lms`;
/// equals diffusers' `LMSDiscreteScheduler`, whose integrals are found numerically.
public struct LMS: Solver {
  /// The most derivatives that a step uses.
  public let order: Int
  private var derivatives: [Tensor] = []
  /// Levels of the steps up to the last, the newest first.
  private var sigmas: [Double]

  /// A solver that has no history yet.
  ///
  /// - Parameters:
  ///   - order: at least 1.
  ///   - skipped: noise levels before the first step of a run that starts in the middle. Steps go
  ///     along the polynomial through these, too, whose terms are left out for want of a derivative:
  ///     so does diffusers. Without them such a run begins with lower orders, as in k-diffusion.
  public init(order: Int = 4, skipped: [Float] = []) {
    precondition(order >= 1, "LMS: the order must be at least 1, got \(order)")
    self.order = order
    sigmas = skipped.reversed().map(Double.init)
  }

  /// A step along the polynomial through the last derivatives; draws no noise.
  public mutating func step(
    _ sample: Tensor, _ transition: Transition,
    predict: (Tensor, NoiseLevel) -> Prediction, noise: inout any NoiseSource
  ) -> Tensor {
    let sigma = Double(transition.level.sigma)
    derivatives.insert(predict(sample, transition.level).derivative, at: 0)
    derivatives = Array(derivatives.prefix(order))
    sigmas = Array(([sigma] + sigmas).prefix(order))
    let length = Double(transition.next.sigma) - sigma
    let basis = lagrangeBasis(sigmas.map { $0 - sigma })
    return zip(basis, derivatives).reduce(sample) { sum, term in
      let (polynomial, derivative) = term
      let integral = polynomial.enumerated().map { $1 / Double($0 + 1) }
      return sum + derivative * Float(length * value(integral, at: length))
    }
  }
}
