import ComputeCore
import Glibc

/// Unified predictor-corrector: corrects a sample with the output at it, then predicts the next.
///
/// Variance-preserving samples. Source: Zhao et al. 2023, arXiv:2302.04867, Algorithms 5 to 8;
/// equals diffusers' `UniPCMultistepScheduler`.
public struct UniPC: Solver {
  /// The function `B(h)` of the paper; raw values are its names.
  public enum Variant: String, CaseIterable, Sendable {
    /// `h`, better for few steps without guidance.
    case bh1
    /// `exp(h) − 1`.
    case bh2
  }

  /// What distinguishes the members of the family.
  public struct Options: Equatable, Sendable {
    /// The most outputs that a step uses, at least 1.
    public var order = 2
    /// The function `B(h)`.
    public var variant = Variant.bh2
    /// Whether the clean picture is extrapolated, or the noise.
    public var predictsX0 = true
    /// Whether the last steps are of falling order, down to 1.
    public var lowerOrderFinal = true
    /// Steps whose result is not corrected.
    public var uncorrectedSteps: [Int] = []

    /// diffusers' defaults.
    public init() {}
  }

  private let options: Options
  private var history: [(output: Tensor, level: NoiseLevel)] = []
  private var previous: (sample: Tensor, order: Int)?

  /// A solver that has no history yet.
  public init(_ options: Options = Options()) {
    precondition(options.order >= 1, "UniPC: the order must be at least 1, got \(options.order)")
    self.options = options
  }

  /// A step with one evaluation of the model; draws no noise.
  public mutating func step(
    _ sample: Tensor, _ transition: Transition,
    predict: (Tensor, NoiseLevel) -> Prediction, noise: inout any NoiseSource
  ) -> Tensor {
    let prediction = predict(sample, transition.level)
    let output = options.predictsX0 ? prediction.denoised : prediction.noise
    var sample = sample
    if let previous, !options.uncorrectedSteps.contains(transition.index - 1) {
      sample = corrected(previous, output, transition.level)
    }
    history.insert((output, transition.level), at: 0)
    history = Array(history.prefix(options.order))
    let order = order(transition)
    previous = (sample, order)
    return predicted(sample, order, transition.next)
  }

  private func order(_ transition: Transition) -> Int {
    if transition.next.sigma == 0 { return 1 }
    let left = options.lowerOrderFinal ? transition.count - transition.index : options.order
    return min(history.count, left)
  }

  /// The sample at `next`, from `sample` at the level of the newest output.
  private func predicted(_ sample: Tensor, _ order: Int, _ next: NoiseLevel) -> Tensor {
    let step = Stretch(from: history[0].level, to: next, options)
    let base = step.base(sample, history[0].output)
    guard order > 1 else { return base }
    let past = past(order, step)
    let weights = order == 2 ? [0.5] : step.weights(past.map(\.ratio))
    return base + sum(past.map(\.slope), weights) * Float(step.scale)
  }

  /// The sample at `level` once more, now that the output there is known.
  private func corrected(
    _ previous: (sample: Tensor, order: Int), _ output: Tensor, _ level: NoiseLevel
  ) -> Tensor {
    let step = Stretch(from: history[0].level, to: level, options)
    let past = past(previous.order, step)
    let weights = previous.order == 1 ? [0.5] : step.weights(past.map(\.ratio) + [1])
    let slopes = past.map(\.slope) + [output - history[0].output]
    return step.base(previous.sample, history[0].output) + sum(slopes, weights) * Float(step.scale)
  }

  /// Slopes from the newest output to older ones, and how far back these are in lengths of the step.
  private func past(_ order: Int, _ step: Stretch) -> [(slope: Tensor, ratio: Double)] {
    history.prefix(order).dropFirst().map { output, level in
      let ratio = (level.logSNR - history[0].level.logSNR) / step.h
      return ((output - history[0].output) * Float(1 / ratio), ratio)
    }
  }

  private func sum(_ terms: [Tensor], _ weights: [Double]) -> Tensor {
    let scaled = zip(terms, weights).map { $0 * Float($1) }
    return scaled.dropFirst().reduce(scaled[0]) { $0 + $1 }
  }
}

/// The numbers of a step of UniPC that do not depend on the sample.
private struct Stretch {
  /// The length in the logarithm of the signal-to-noise ratio; infinite to a clean picture.
  let h: Double
  /// Factor of the weighted slopes.
  let scale: Double
  private let signed: Double
  private let functionB: Double
  private let carry: Double
  private let gain: Double

  init(from level: NoiseLevel, to next: NoiseLevel, _ options: UniPC.Options) {
    h = next.logSNR - level.logSNR
    signed = options.predictsX0 ? -h : h
    let factor = Double(options.predictsX0 ? next.alpha : next.sigma)
    carry = Double(options.predictsX0 ? next.sigma / level.sigma : next.alpha / level.alpha)
    gain = -factor * expm1(signed)
    functionB = options.variant == .bh1 ? signed : expm1(signed)
    scale = -factor * functionB
  }

  /// The exact step for an output that does not change.
  func base(_ sample: Tensor, _ output: Tensor) -> Tensor {
    sample * Float(carry) + output * Float(gain)
  }

  /// Weights of slopes over `ratios` of the step that make it exact for polynomials.
  ///
  /// Solves `Σ weight · ratioⁱ⁻¹ = i!·φᵢ₊₁ / B` for `i` from 1 to their number.
  func weights(_ ratios: [Double]) -> [Double] {
    var phi = expm1(signed) / signed - 1
    var factorial = 1.0
    var rows: [[Double]] = []
    for power in ratios.indices {
      rows.append(ratios.map { pow($0, Double(power)) } + [phi * factorial / functionB])
      factorial *= Double(power + 2)
      phi = phi / signed - 1 / factorial
    }
    return solved(rows)
  }

  /// Gauss-Jordan elimination of rows that end with their right-hand side.
  private func solved(_ system: [[Double]]) -> [Double] {
    var rows = system
    for column in rows.indices {
      let pivot = rows.indices[column...].max { abs(rows[$0][column]) < abs(rows[$1][column]) }
      rows.swapAt(column, pivot ?? column)
      let head = rows[column].map { $0 / rows[column][column] }
      rows[column] = head
      for row in rows.indices where row != column {
        let factor = rows[row][column]
        rows[row] = zip(rows[row], head).map { $0 - factor * $1 }
      }
    }
    return rows.map { $0[system.count] }
  }
}
