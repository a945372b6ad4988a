import ComputeCore
import Evaluation
import Layers

/// What one step of training a classifier came to.
package struct ClassifierStep {
  /// Number of the step, from 1.
  package let index: Int
  /// Steps of the whole run.
  package let count: Int
  /// Mean cross-entropy of the step's pictures, in nats.
  package let loss: Float
  /// Share of the step's pictures that were taken for what they are.
  package let accuracy: Double
  /// Norm of the gradients before clipping.
  package let gradientNorm: Float
}

/// The training of a classifier as a sequence of its steps.
///
/// Batches and their variations follow from the seed and the step's number, so that a run goes on
/// from parameters, moments and step number alone.
package struct ClassifierTrainer: Sequence, IteratorProtocol {
  private let classifier: PictureClassifier
  private let batches: ClassifierBatches
  /// Learning rates and the number of steps; the number may be set once it is known.
  package var rate: WarmupCosine
  /// The optimizer with parameters and moments; running statistics are among its parameters, have
  /// no gradient, and so are stored with the rest.
  package let optimizer: AdamW
  /// Steps done.
  package private(set) var step: Int

  /// A run that has done `step` steps.
  package init(
    _ classifier: PictureClassifier, _ batches: ClassifierBatches, _ rate: WarmupCosine,
    startingAfter state: TrainingState? = nil
  ) throws(TrainingError) {
    (self.classifier, self.batches, self.rate) = (classifier, batches, rate)
    var config = AdamW.Config()
    (config.beta2, config.weightDecay, config.emaDecay) = (0.99, 0.05, nil)
    optimizer = AdamW(classifier.namedParameters(), config)
    try state?.restore(optimizer)
    step = state?.step ?? 0
  }

  /// Makes the next step, or tells with `nil` that the run is over.
  package mutating func next() -> ClassifierStep? {
    guard step < rate.total else { return nil }
    let (x, ids) = Compute.withoutRecording { batches.batch(step) }
    classifier.setTraining(true)
    let logits = classifier(x)
    classifier.setTraining(false)
    let loss = crossEntropy(logits, ids: ids)
    let gradients = ComputeCore.gradients(of: loss)
    let norm = optimizer.update(
      optimizer.parameters.map { gradients[$0.parameter.value] },
      learningRate: rate.rate(at: step))
    step += 1
    return ClassifierStep(
      index: step, count: rate.total, loss: loss.item, accuracy: accuracy(logits, ids),
      gradientNorm: norm)
  }
}

/// Share of rows of `logits` `[N, K]` that are largest at their id.
private func accuracy(_ logits: Tensor, _ ids: [Int32]) -> Double {
  let (values, classes) = (logits.detached().values, logits.shape[1])
  let right = ids.indices.count { row in
    let line = values[row * classes..<(row + 1) * classes]
    return line.indices.max { line[$0] < line[$1] } == row * classes + Int(ids[row])
  }
  return Double(right) / Double(max(1, ids.count))
}
