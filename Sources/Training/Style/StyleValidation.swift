import ComputeCore
import Models

/// Tells when an adapter begins to learn the photos by heart: the loss on photos it never sees,
/// always with the same crops, noise and timesteps.
package struct StyleValidation {
  private let batches: any DiffusionBatches
  private let objective: DiffusionObjective
  private let batchCount: Int

  /// Losses measured so far with their steps.
  package private(set) var history: [(step: Int, loss: Float)] = []
  /// The step with the lowest loss.
  package private(set) var bestStep = 0
  /// The lowest loss.
  package private(set) var bestLoss = Float.infinity

  /// A validation over `batchCount` batches of held-out photos.
  package init(_ batches: any DiffusionBatches, _ objective: DiffusionObjective, batchCount: Int) {
    (self.batches, self.objective, self.batchCount) = (batches, objective, batchCount)
  }

  /// Measures after `step` steps.
  ///
  /// - Returns: whether this is the best so far.
  package mutating func measure(_ unet: UNet2DConditionModel, step: Int) -> Bool {
    let loss = Compute.withoutRecording {
      (0..<batchCount).reduce(Float(0)) { sum, index in
        var generator = TorchGenerator(seed: UInt64(index))
        return sum + objective.loss(unet, batches.batch(index), using: &generator).item
      } / Float(batchCount)
    }
    history.append((step, loss))
    guard loss < bestLoss else { return false }
    (bestLoss, bestStep) = (loss, step)
    return true
  }

  /// Whether the last `patience` measurements were all worse than the best one.
  package func hasStalled(patience: Int) -> Bool {
    guard let best = history.lastIndex(where: { $0.step == bestStep }) else { return false }
    return history.count - 1 - best >= patience
  }
}
