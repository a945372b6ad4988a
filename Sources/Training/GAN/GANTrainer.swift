import ComputeCore
import Datasets
import Foundation
import GAN
import Layers

/// What one step of a GAN came to.
package struct GANStep {
  /// Number of the step, from 1.
  package let index: Int
  /// Loss of the discriminator without its penalty.
  package let discriminatorLoss: Float
  /// Loss of the generator.
  package let generatorLoss: Float
  /// Mean logit of real pictures.
  package let realLogit: Float
  /// Mean logit of generated pictures.
  package let fakeLogit: Float
  /// Squared steepness of the discriminator; `nil` in steps without penalty.
  package let penalty: Float?
  /// Norms of the gradients of discriminator and generator.
  package let gradientNorms: (discriminator: Float, generator: Float)

  /// Whether every number is one.
  package var isFinite: Bool {
    discriminatorLoss.isFinite && generatorLoss.isFinite && gradientNorms.discriminator.isFinite
      && gradientNorms.generator.isFinite
  }
}

/// Settings of a GAN's training that are fixed when it begins.
package struct GANTrainingConfig: Codable, Equatable, Sendable {
  /// Losses and penalties.
  package var objective = GANObjective()
  /// Real pictures per step.
  package var batchSize = 32
  /// Learning rate of the discriminator at the start.
  package var learningRate: Float = 1e-3
  /// Learning rate at the end; falls to it as half a cosine.
  package var finalLearningRate: Float = 1e-4
  /// Learning rate of the generator as a share of the discriminator's.
  ///
  /// A generator that learns as fast makes fewer kinds of pictures.
  /// Source: Heusel et al. 2017, arXiv:1706.08500, section 2.
  package var generatorRate: Float = 0.6
  /// Decay of the mean of gradients in both optimizers.
  package var beta1: Float = 0
  /// Decay of the generator's moving average.
  package var emaDecay: Float = 0.999
  /// Seed of everything random.
  package var seed: UInt64 = 1
  /// Whether pictures are varied before the discriminator sees them.
  package var augments = false

  /// The defaults.
  package init() {}
}

/// The random numbers of a step.
private struct GANRandom {
  /// Of latents.
  var noise: TorchGenerator
  /// Of variations of pictures.
  var changes: SplitMix64

  init(seed: UInt64, step: Int) {
    noise = TorchGenerator(seed: stepSeed(seed, step, .noise))
    changes = SplitMix64(seed: stepSeed(seed, step, .crops))
  }
}

/// A GAN's training run as a sequence of its steps.
///
/// Random numbers of a step follow from the seed and the step's number, so that a run can go on
/// from its parameters, moments and step number.
package struct GANTrainer {
  /// The networks, of which `generator` holds the present values, not the averages.
  package let networks: (generator: Generator, discriminator: Discriminator)
  /// Their optimizers; the generator's keeps the moving average that samples are drawn from.
  package let optimizers: (generator: AdamW, discriminator: AdamW)
  private let data: PictureSet
  private let order: EpochOrder
  /// Settings.
  package let config: GANTrainingConfig
  /// Multiplies the learning rates; lowered after a collapse.
  package var learningRateScale: Float = 1
  /// Variations of what the discriminator sees.
  package var augmentation = AdaptiveAugmentation()
  /// Steps done.
  package private(set) var step: Int

  /// A run that has done `step` steps.
  package init(
    _ generator: Generator, _ discriminator: Discriminator, on data: PictureSet,
    _ config: GANTrainingConfig, startingAfter step: Int = 0
  ) {
    networks = (generator, discriminator)
    (self.data, self.config, self.step) = (data, config, step)
    order = EpochOrder(seed: config.seed, count: data.count)
    var settings = AdamW.Config()
    (settings.beta1, settings.beta2, settings.weightDecay) = (config.beta1, 0.99, 0)
    (settings.maxGradientNorm, settings.emaDecay) = (nil, nil)
    let discriminatorOptimizer = AdamW(discriminator.namedParameters(), settings)
    settings.emaDecay = config.emaDecay
    optimizers = (AdamW(generator.namedParameters(), settings), discriminatorOptimizer)
  }

  /// All that a run changes, in memory of its own.
  package struct Snapshot {
    let step: Int
    let generator: AdamW.Snapshot
    let discriminator: AdamW.Snapshot
    let learningRateScale: Float
    let augmentation: AdaptiveAugmentation
  }

  /// The present state, to come back to with `restore(_:scale:)`.
  package func snapshot() -> Snapshot {
    Snapshot(
      step: step, generator: optimizers.generator.snapshot(),
      discriminator: optimizers.discriminator.snapshot(), learningRateScale: learningRateScale,
      augmentation: augmentation)
  }

  /// Goes back to a state, and on with another factor of the learning rates.
  package mutating func restore(_ snapshot: Snapshot, scale: Float) {
    optimizers.generator.restore(snapshot.generator)
    optimizers.discriminator.restore(snapshot.discriminator)
    (step, learningRateScale, augmentation) = (snapshot.step, scale, snapshot.augmentation)
  }

  /// Makes the next step.
  ///
  /// - Parameter progress: share of the run that is done, 0…1, for what changes over it.
  /// - Returns: what the step came to.
  package mutating func next(progress: Double) -> GANStep {
    var random = GANRandom(seed: config.seed, step: step)
    let (real, labels) = batch(step)
    let lower = 0.5 * (1 + cos(.pi * min(1, progress)))
    let rate =
      config.finalLearningRate + (config.learningRate - config.finalLearningRate) * Float(lower)
    // Both networks learn from the same pictures, which are drawn once.
    let fake = draw(labels, &random)
    let discriminator = updateDiscriminator(
      real, fake.detached(), labels, decay: Float(lower), rate: rate * learningRateScale, &random)
    let generator = updateGenerator(
      real, fake, labels, rate: rate * config.generatorRate * learningRateScale, &random)
    if config.augments {
      augmentation.adapt(
        real: discriminator.loss.realLogits, fake: discriminator.loss.fakeLogits)
    }
    step += 1
    return GANStep(
      index: step, discriminatorLoss: discriminator.loss.adversarial,
      generatorLoss: generator.loss, realLogit: discriminator.loss.realLogits.mean().item,
      fakeLogit: discriminator.loss.fakeLogits.mean().item,
      penalty: discriminator.loss.penalty,
      gradientNorms: (discriminator.norm, generator.norm))
  }

  private func updateDiscriminator(
    _ real: Tensor, _ fake: Tensor, _ labels: [Int32], decay: Float, rate: Float,
    _ random: inout GANRandom
  ) -> (loss: DiscriminatorLoss, norm: Float) {
    let objective = config.objective
    let isPenalised = step % objective.penaltyInterval == 0
    let gamma = objective.penaltyWeight(decay: decay)
    let loss = objective.discriminatorLoss(
      networks.discriminator, real: augmentation(real, using: &random.changes),
      fake: augmentation(fake, using: &random.changes), labels: labels,
      penaltyWeight: isPenalised ? gamma * Float(objective.penaltyInterval) : 0,
      mix: Tensor.rand([labels.count, 1, 1, 1], using: &random.noise))
    let found = gradients(of: loss.total)
    let norm = optimizers.discriminator.update(
      optimizers.discriminator.parameters.map { found[$0.parameter.value] }, learningRate: rate)
    return (loss, norm)
  }

  private func updateGenerator(
    _ real: Tensor, _ fake: Tensor, _ labels: [Int32], rate: Float, _ random: inout GANRandom
  ) -> (loss: Float, norm: Float) {
    let discriminator = networks.discriminator
    discriminator.freeze()
    defer { discriminator.unfreeze() }
    let loss = config.objective.generatorLoss(
      discriminator, real: augmentation(real, using: &random.changes),
      fake: augmentation(fake, using: &random.changes), labels: labels)
    let found = gradients(of: loss)
    let norm = optimizers.generator.update(
      optimizers.generator.parameters.map { found[$0.parameter.value] }, learningRate: rate)
    return (loss.item, norm)
  }

  private func draw(_ labels: [Int32], _ random: inout GANRandom) -> Tensor {
    let z = Tensor.randn(
      [labels.count, networks.generator.config.latentSize], using: &random.noise)
    return networks.generator(z, labels: labels)
  }

  /// The real pictures of a step and their classes.
  private func batch(_ step: Int) -> (pictures: Tensor, labels: [Int32]) {
    let indices = order.indices(from: step * config.batchSize, count: config.batchSize)
    let labels = indices.map { index in data.labels.map { Int32($0[index]) } ?? 0 }
    return (data.tensor(indices), labels)
  }
}
