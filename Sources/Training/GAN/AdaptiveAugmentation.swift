import ComputeCore
import Datasets

/// Random mirrors, shifts and changes of brightness and contrast of what a discriminator sees, as
/// strong as it takes to keep it from learning few pictures by heart.
///
/// Source: Karras et al. 2020, "Training Generative Adversarial Networks with Limited Data" (ADA),
/// arXiv:2006.06676: sections 2.2 and 3.1. What is measured is how often a real picture's logit is
/// above that of the generated picture beside it, for the relativistic loss fixes no zero; and the
/// strength changes ten times as fast as there, as runs are shorter here.
package struct AdaptiveAugmentation: Codable, Equatable, Sendable {
  /// Probability of each change, 0…`limit`.
  package private(set) var probability: Float = 0
  /// Running mean of the signs of real minus generated logits.
  package private(set) var overfitting: Float = 0

  private static let target: Float = 0.6
  private static let limit: Float = 0.8
  private static let picturesToFull: Float = 50_000

  /// Augmentation that is still off.
  package init() {}

  /// Learns from the logits of a step how strong it has to be.
  package mutating func adapt(real: Tensor, fake: Tensor) {
    let signs = zip(real.values, fake.values).map { $0 > $1 ? 1 : -1 as Float }
    let mean = signs.reduce(0, +) / Float(max(1, signs.count))
    overfitting += (mean - overfitting) / 20
    let change = Float(signs.count) / Self.picturesToFull
    probability += overfitting > Self.target ? change : -change
    probability = max(0, min(Self.limit, probability))
  }

  /// Changes pictures at random, each by its own; gradients flow through.
  ///
  /// - Parameters:
  ///   - x: `[N, H, W, C]` in -1…1.
  ///   - random: of the step.
  /// - Returns: the same shape.
  package func callAsFunction(_ x: Tensor, using random: inout SplitMix64) -> Tensor {
    guard probability > 0 else { return x }
    let (n, h, w) = (x.shape[0], x.shape[1], x.shape[2])
    var (rows, columns): ([Int32], [Int32]) = ([], [])
    var (scales, shifts): ([Float], [Float]) = ([], [])
    for _ in 0..<n {
      let isMirrored = happens(&random) && random.unit() < 0.5
      let move = happens(&random)
      let (down, right) = (offset(h, move, &random), offset(w, move, &random))
      rows += (0..<h).map { reflected($0 + down, h) }
      columns += (0..<w).map { reflected((isMirrored ? w - 1 - $0 : $0) + right, w) }
      scales.append(happens(&random) ? 0.75 + 0.5 * Float(random.unit()) : 1)
      shifts.append(happens(&random) ? 0.4 * Float(random.unit()) - 0.2 : 0)
    }
    let moved = selectedPixels(x, rows: rows, columns: columns)
    return moved * Tensor(scales, [n, 1, 1, 1]) + Tensor(shifts, [n, 1, 1, 1])
  }

  private func happens(_ random: inout SplitMix64) -> Bool {
    Float(random.unit()) < probability
  }

  /// Up to an eighth of the picture to either side; draws in any case.
  private func offset(_ size: Int, _ isMoved: Bool, _ random: inout SplitMix64) -> Int {
    let reach = size / 8
    let drawn = random.below(2 * reach + 1) - reach
    return isMoved ? drawn : 0
  }

  /// What lies outside is the picture mirrored at its edge.
  private func reflected(_ position: Int, _ size: Int) -> Int32 {
    let inside =
      position < 0 ? -1 - position : position >= size ? 2 * size - 1 - position : position
    return Int32(max(0, min(size - 1, inside)))
  }
}
