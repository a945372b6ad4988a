import ComputeCore
import Foundation
import Training

/// The loop around the training of a classifier: progress, tests, states, curves, Ctrl-C.
struct ClassifierSession {
  let run: RunFolder
  let console: ConsoleOptions
  let stateEverySeconds: Double
  let stepsPerEpoch: Int
  /// Loss of each step so far.
  var losses: [Float]
  /// Accuracies so far.
  var log: AccuracyLog

  /// Steps after which a run that is limited by time knows how many it can make.
  private static let measuredSteps = 40
  /// The first of these, which do not count.
  private static let warmUpSteps = 10

  /// Runs the trainer to its end, with a test after every epoch.
  ///
  /// - Parameters:
  ///   - trainer: total steps of `Int.max` mean: as many as fit into `minutes`.
  ///   - minutes: time for a run without a number of steps.
  ///   - onTotal: told the number of steps once it is known.
  ///   - test: finds the accuracy of the present weights.
  /// - Returns: whether the run is over; `false` after Ctrl-C. The state is saved in both cases.
  /// - Throws: `TrainingError` when the loss is no longer a number or a file cannot be written.
  mutating func train(
    _ trainer: inout ClassifierTrainer, minutes: Double, onTotal: (Int) throws -> Void,
    test: () throws -> Double
  ) throws -> Bool {
    let interruption = Interruption()
    let start = Date()
    let firstStep = trainer.step
    var (measured, lastState) = (start, start)
    var bar = ProgressBar("Training", isVisible: console.isTalkative, startingAt: firstStep)
    while let step = trainer.next() {
      guard step.loss.isFinite else { throw TrainingError.diverged(step: step.index) }
      losses.append(step.loss)
      log.add(step, interval: stepsPerEpoch / 10)
      let (now, done) = (Date(), step.index - firstStep)
      if done == Self.warmUpSteps { measured = now }
      if trainer.rate.total == Int.max, done >= Self.measuredSteps {
        let seconds = now.timeIntervalSince(measured) / Double(done - Self.warmUpSteps)
        let left = minutes * 60 - now.timeIntervalSince(start)
        trainer.rate.total = step.index + max(1, Int(left / max(seconds, 1e-6)))
        try onTotal(trainer.rate.total)
      }
      if trainer.rate.total < Int.max { bar.update(step.index, of: trainer.rate.total, note: note) }
      if interruption.isRequested {
        bar.finish()
        try save(trainer)
        return false
      }
      if step.index % stepsPerEpoch == 0 || step.index == trainer.rate.total {
        log.addTest(try test(), step: step.index)
      }
      if now.timeIntervalSince(lastState) >= stateEverySeconds {
        try save(trainer)
        lastState = Date()
      }
    }
    bar.finish()
    try save(trainer)
    return true
  }

  private func save(_ trainer: ClassifierTrainer) throws {
    try TrainingState.save(
      trainer.optimizer, step: trainer.step, losses: losses, notes: log.notes, in: run.path)
    try run.drawLosses(losses, title: "Training loss")
    if let chart = log.chart(stepsPerEpoch: stepsPerEpoch, title: "Accuracy") {
      try write(chart, to: run.path + "/accuracy.png")
    }
  }

  private var note: String {
    let recent = losses.suffix(100)
    let loss = Double(recent.reduce(0, +)) / Double(max(1, recent.count))
    var text = String(format: "loss %.3f", loss)
    if let last = log.training.last { text += "  training \(percent(last.accuracy))" }
    if let last = log.test.last { text += "  test \(percent(last.accuracy))" }
    return text
  }
}
