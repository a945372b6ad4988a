import ComputeCore
import Foundation
import Training

/// The training of a classifier: its states, its curves, and a test after every epoch.
struct ClassifierSession: TrainingSession {
  let folder: RunFolder
  let console: ConsoleOptions
  var settings: ClassifierSettings
  var trainer: ClassifierTrainer
  /// Loss of each step so far.
  var losses: [Float]
  /// Accuracies so far.
  var log: AccuracyLog
  let stateEverySeconds: Double
  let stepsPerEpoch: Int
  /// Finds the accuracy of the present weights.
  let test: () throws -> Double

  var step: Int { trainer.step }

  var chores: [Chore<ClassifierSession>] {
    [Chore(everySeconds: stateEverySeconds) { try $0.saveState() }]
  }

  func note(stepsPerSecond: Double) -> String {
    var text = String(format: "loss %.3f", recentMean(losses))
    if let last = log.training.last { text += "  training \(percent(last.accuracy))" }
    if let last = log.test.last { text += "  test \(percent(last.accuracy))" }
    return text
  }

  mutating func advance(progress: Double) throws {
    trainer.rate.total = settings.totalSteps ?? .max
    guard let step = trainer.next() else { return }
    guard step.loss.isFinite else { throw TrainingError.diverged(step: step.index) }
    losses.append(step.loss)
    log.add(step, interval: stepsPerEpoch / 10)
    if step.index % stepsPerEpoch == 0 || step.index == trainer.rate.total {
      log.addTest(try test(), step: step.index)
    }
  }

  func saveState() throws {
    try TrainingState.save(
      trainer.optimizer, step: trainer.step, losses: losses, notes: log.notes, in: folder.path)
    try folder.drawLosses(losses, title: "Training loss")
    if let chart = log.chart(stepsPerEpoch: stepsPerEpoch, title: "Accuracy") {
      try write(chart, to: folder.path + "/accuracy.png")
    }
  }

  func complete() throws { try saveState() }
}
