import ComputeCore
import Foundation

/// What a GAN is trained for, and how strongly its discriminator is held back.
package struct GANObjective: Codable, Equatable, Sendable {
  /// The game.
  package var loss = AdversarialLoss.relativistic
  /// The penalty on the discriminator's steepness.
  package var penalty = GradientPenalty.r1r2
  /// Weight of the penalty at the start: γ / 2 of the papers is half of it; λ for `wgan-gp`.
  package var gamma: Float = 2
  /// Weight of the penalty at the end; its logarithm falls to it as half a cosine.
  ///
  /// A discriminator that is held back too little at the start drives the generator into a corner; one
  /// that is held back too much at the end does not see what is missing.
  package var finalGamma: Float = 0.05
  /// The penalty is computed in every so many steps, and weighted by that number.
  ///
  /// Source: lazy regularisation, Karras et al. 2020, arXiv:1912.04958, appendix B.
  package var penaltyInterval = 1
  /// Weight of the cross-entropy of the classes that the discriminator names real pictures.
  ///
  /// It learns sooner what to look at. Made pictures are left out, or it would learn to name
  /// what is wrong with them.
  /// Source: Odena et al. 2017, arXiv:1610.09585, equation 3, the term of real pictures.
  package var realClassWeight: Float = 1
  /// Weight of the same for made pictures, in the generator's loss.
  ///
  /// Large values give pictures that are typical of their class, and alike.
  package var madeClassWeight: Float = 0.1

  /// The defaults.
  package init() {}

  /// Weight of the penalty in a step that has one, before `penaltyInterval`.
  ///
  /// - Parameter decay: what is left of the run's half cosine, from 1 at its start to 0 at its end.
  /// - Returns: between `gamma` and `finalGamma`.
  package func penaltyWeight(decay: Float) -> Float {
    finalGamma * pow(gamma / finalGamma, decay)
  }

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
    let verdict = discriminator.verdict(x, labels: labels + labels)
    let logits = verdict.logits
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
    var total = adversarial
    if let steepness { total = total + steepness * penaltyWeight }
    if let classes = verdict.classLogits, realClassWeight > 0 {
      total =
        total + crossEntropy(classes.sliced(axis: 0, 0..<n), ids: labels) * realClassWeight
    }
    return DiscriminatorLoss(
      total: total, adversarial: adversarial.item, penalty: steepness?.item,
      realLogits: onReal.detached(), fakeLogits: onFake.detached())
  }

  /// The loss of the generator.
  ///
  /// - Parameters:
  ///   - discriminator: frozen.
  ///   - real: `[N, H, W, C]` in -1…1; only the relativistic loss looks at them.
  ///   - fake: of the same shape, recorded from the generator on.
  ///   - labels: classes of both.
  /// - Returns: shape `[]`, recorded.
  package func generatorLoss(
    _ discriminator: Discriminator, real: Tensor, fake: Tensor, labels: [Int32]
  ) -> Tensor {
    let onReal =
      loss == .relativistic
      ? discriminator(real, labels: labels) : Tensor.zeros([labels.count])
    let verdict = discriminator.verdict(fake, labels: labels)
    let adversarial = loss.ofGenerator(real: onReal, fake: verdict.logits)
    guard let classes = verdict.classLogits, madeClassWeight > 0 else { return adversarial }
    return adversarial + crossEntropy(classes, ids: labels) * madeClassWeight
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
