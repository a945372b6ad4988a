import ComputeCore
import Datasets
import Layers
import Models

/// What one step of a training run came to.
package struct TrainingStep {
  /// Number of the step, from 1.
  package let index: Int
  /// Steps of the whole run.
  package let count: Int
  /// Mean loss of the step's pictures.
  package let loss: Float
  /// Norm of the gradients before clipping.
  package let gradientNorm: Float
  /// Size of the update.
  package let learningRate: Float
}

/// Batches by number, so that a resumed run sees what an uninterrupted one would have seen.
package protocol DiffusionBatches {
  /// Batch number `index` of the run, counted from 0.
  func batch(_ index: Int) -> DiffusionBatch
}

/// A diffusion training run as a sequence of its steps.
///
/// Random numbers of a step come from the seed and the step's number alone, so that a run can go on
/// from its parameters, moments and step number.
package struct DiffusionTrainer: Sequence, IteratorProtocol {
  private let unet: UNet2DConditionModel
  private let objective: DiffusionObjective
  private let batches: any DiffusionBatches
  /// Learning rates and the number of steps; the number may be set once it is known.
  package var rate: WarmupCosine
  private let accumulation: Int
  private let seed: UInt64
  /// The optimizer with parameters, moments and averages.
  package let optimizer: AdamW
  /// Steps done.
  package private(set) var step: Int

  /// A run that has done `step` steps.
  ///
  /// - Parameters:
  ///   - unet: the denoiser; what of it or of its adapters is not frozen is trained.
  ///   - objective: the loss.
  ///   - batches: the data.
  ///   - optimizer: of the parameters to train.
  ///   - rate: learning rates and the number of steps.
  ///   - accumulation: batches per step, at least 1.
  ///   - seed: of noise and timesteps.
  ///   - step: steps done already.
  package init(
    _ unet: UNet2DConditionModel, _ objective: DiffusionObjective,
    _ batches: any DiffusionBatches, _ optimizer: AdamW, _ rate: WarmupCosine,
    accumulation: Int = 1, seed: UInt64, startingAfter step: Int = 0
  ) {
    (self.unet, self.objective, self.batches) = (unet, objective, batches)
    (self.optimizer, self.rate, self.accumulation) = (optimizer, rate, accumulation)
    (self.seed, self.step) = (seed, step)
  }

  /// Makes the next step, or tells with `nil` that the run is over.
  package mutating func next() -> TrainingStep? {
    guard step < rate.total else { return nil }
    var sums: [Tensor?] = optimizer.parameters.map { _ in nil }
    var loss: Float = 0
    for part in 0..<accumulation {
      let index = step * accumulation + part
      var generator = TorchGenerator(seed: stepSeed(seed, index, .noise))
      let batch = Compute.withoutRecording { batches.batch(index) }
      let value = objective.loss(unet, batch, using: &generator)
      let gradients = ComputeCore.gradients(of: value)
      loss += value.item / Float(accumulation)
      for (position, entry) in optimizer.parameters.enumerated() {
        guard let gradient = gradients[entry.parameter.value] else { continue }
        sums[position] = sums[position].map { $0 + gradient } ?? gradient
      }
    }
    let learningRate = rate.rate(at: step)
    let norm = optimizer.update(sums, learningRate: learningRate, scale: 1 / Float(accumulation))
    step += 1
    return TrainingStep(
      index: step, count: rate.total, loss: loss, gradientNorm: norm, learningRate: learningRate)
  }
}
