import ComputeCore
import Foundation
import GAN

/// Notices that a GAN has collapsed or is about to.
///
/// Three signs are looked for: numbers that are none, logits of real and generated pictures that run
/// away from each other, and pictures that have become alike.
package struct CollapseAlarm {
  /// Limits beyond which a run counts as ill.
  package struct Limits: Codable, Equatable, Sendable {
    /// Largest distance of the mean logits, averaged over some 20 steps.
    package var logitGap: Float = 40
    /// Smallest deviation of generated pictures against that of real ones.
    package var diversity: Float = 0.2
    /// Steps at the beginning during which pictures may be alike.
    package var warmUpSteps = 300

    package init() {}
  }

  /// What was noticed.
  package enum Sign: Equatable, CustomStringConvertible {
    /// A loss or a gradient is not a number.
    case notANumber
    /// Mean logits of real and generated pictures are this far apart.
    case runawayLogits(gap: Float)
    /// Pictures vary by this share of what real ones do.
    case alike(share: Float)

    /// In words, for the console.
    package var description: String {
      switch self {
      case .notANumber: "a loss is no longer a number"
      case .runawayLogits(let gap):
        String(format: "the discriminator's logits run away (%.0f apart)", Double(gap))
      case .alike(let share):
        String(format: "pictures vary by only %.0f %% of what real ones do", Double(share) * 100)
      }
    }
  }

  private var limits: Limits
  private var gap: Float = 0

  /// An alarm that has seen nothing yet.
  ///
  /// - Parameters:
  ///   - limits: what counts as ill.
  ///   - loss: of the run; the logits of `.wasserstein` estimate a distance and have no limit.
  package init(_ limits: Limits = Limits(), for loss: AdversarialLoss = .relativistic) {
    self.limits = limits
    if loss == .wasserstein { self.limits.logitGap = .infinity }
  }

  /// Whether the logits are more than half-way to the limit.
  var isUneasy: Bool { gap > limits.logitGap / 2 }

  /// Looks at a step.
  package mutating func look(at step: GANStep) -> Sign? {
    guard step.isFinite else { return .notANumber }
    gap += (abs(step.realLogit - step.fakeLogit) - gap) / 20
    return gap > limits.logitGap ? .runawayLogits(gap: gap) : nil
  }

  /// Looks at the deviation of pictures, as `deviation(of:)` measures it.
  package func look(atDeviation fake: Float, real: Float, step: Int) -> Sign? {
    guard step >= limits.warmUpSteps, real > 0 else { return nil }
    let share = fake / real
    return share < limits.diversity || !share.isFinite ? .alike(share: share) : nil
  }

  /// Forgets what it has seen, after the run went back.
  package mutating func reset() { gap = 0 }
}

/// How much pictures of the same class differ.
///
/// The standard deviation of each pixel over the
/// pictures of a class, averaged over pixels and classes with at least two pictures.
///
/// - Parameters:
///   - pictures: `[N, H, W, C]`.
///   - labels: a class for each.
/// - Returns: 0 when no class has two pictures.
package func deviation(of pictures: Tensor, labels: [Int32]) -> Float {
  var sum: Float = 0
  var classes: Float = 0
  for (_, members) in Dictionary(grouping: labels.indices, by: { labels[$0] }).sorted(by: {
    $0.key < $1.key
  }) where members.count > 1 {
    let x = concatenated(members.map { pictures.sliced(axis: 0, $0..<$0 + 1) }, axis: 0)
    let variance = square(x - x.mean(axes: [0], keepDims: true)).mean(axes: [0])
    sum += sqrt(variance).mean().item
    classes += 1
  }
  return classes == 0 ? 0 : sum / classes
}
