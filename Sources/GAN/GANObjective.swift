import ComputeCore

/// What a GAN is trained for, and how strongly its discriminator is held back.
package struct GANObjective: Codable, Equatable, Sendable {
  /// The game.
  package var loss = AdversarialLoss.relativistic
  /// The penalty on the discriminator's steepness.
  package var penalty = GradientPenalty.r1r2
  /// Weight of the penalty at the start: γ / 2 of the papers is half of it; λ for `wgan-gp`.
  package var gamma: Float = 1
  /// Weight of the penalty at the end; falls to it as half a cosine.
  package var finalGamma: Float = 0.1
  /// The penalty is computed in every so many steps, and weighted by that number.
  ///
  /// Source: lazy regularisation, Karras et al. 2020, arXiv:1912.04958, appendix B.
  package var penaltyInterval = 1

  /// The defaults.
  package init() {}

  /// The loss of the discriminator and what there is to tell about it.
  ///
  /// - Parameters:
  ///   - discriminator: its parameters are recorded.
  ///   - real: `[N, H, W, C]` in -1…1.
  ///   - fake: of the same shape, cut off from the generator.
  ///   - labels: classes of both.
  ///   - penaltyWeight: `gamma` of this step, 0 for a step without penalty.
  ///   - mix: where between real and fake `wgan-gp` looks, uniform in 0…1, `[N, 1, 1, 1]`.
  /// - Returns: the loss, recorded, with its parts.
  package func discriminatorLoss(
    _ discriminator: Discriminator, real: Tensor, fake: Tensor, labels: [Int32],
    penaltyWeight: Float, mix: Tensor
  ) -> DiscriminatorLoss {
    let n = real.shape[0]
    let isPenalised = penaltyWeight > 0 && (penalty == .r1 || penalty == .r1r2)
    var x = concatenated([real, fake], axis: 0)
    if isPenalised { x = x.asVariable() }
    let logits = discriminator(x, labels: labels + labels)
    let (onReal, onFake) = (
      logits.sliced(axis: 0, 0..<n), logits.sliced(axis: 0, n..<2 * n)
    )
    let adversarial = loss.ofDiscriminator(real: onReal, fake: onFake)
    var steepness: Tensor?
    if isPenalised {
      let seed = Tensor(
        (0..<2 * n).map { $0 < n || penalty == .r1r2 ? 1 : 0 } as [Float], [2 * n])
      steepness = squaredGradientNorms(of: logits * seed, by: x).sum() / (2 * Float(n))
    } else if penaltyWeight > 0, penalty == .interpolated {
      steepness = interpolatedPenalty(real: real, fake: fake, mix: mix) {
        discriminator($0, labels: labels)
      }
    }
    return DiscriminatorLoss(
      total: steepness.map { adversarial + $0 * penaltyWeight } ?? adversarial,
      adversarial: adversarial.item, penalty: steepness?.item, realLogits: onReal.detached(),
      fakeLogits: onFake.detached())
  }
}

/// The loss of a discriminator's step in parts.
package struct DiscriminatorLoss {
  /// What is differentiated, `[]`.
  package let total: Tensor
  /// Without the penalty.
  package let adversarial: Float
  /// The penalty before its weight; `nil` in steps without.
  package let penalty: Float?
  /// `[N]`.
  package let realLogits: Tensor
  /// `[N]`.
  package let fakeLogits: Tensor
}
