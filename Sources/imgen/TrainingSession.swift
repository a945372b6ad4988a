import Foundation
import ImageIO
import Training

/// The loop around a trainer: progress, states, loss curve, sample sheets, Ctrl-C.
struct TrainingSession {
  let run: RunFolder
  let console: ConsoleOptions
  let stateEverySeconds: Double
  let sheetEverySeconds: Double
  /// Loss of each step so far.
  var losses: [Float]

  /// Steps after which a run that is limited by time knows how many it can make.
  private static let measuredSteps = 40
  /// The first of these, which do not count.
  private static let warmUpSteps = 10

  /// Runs the trainer to its end.
  ///
  /// - Parameters:
  ///   - trainer: total steps of `Int.max` mean: as many as fit into `minutes`.
  ///   - minutes: time for a run without a number of steps.
  ///   - onTotal: told the number of steps once it is known.
  ///   - sheet: makes the pictures of a sample sheet.
  /// - Returns: whether the run is over; `false` after Ctrl-C. The state is saved in both cases.
  /// - Throws: `TrainingError` when the loss is no longer a number or a file cannot be written.
  mutating func train(
    _ trainer: inout DiffusionTrainer, minutes: Double, onTotal: (Int) throws -> Void,
    sheet: () throws -> (pictures: [Image], prompts: [String])
  ) throws -> Bool {
    let interruption = Interruption()
    let start = Date()
    let firstStep = trainer.step
    var measured = start
    var lastState = start
    var lastSheet = start
    var bar = ProgressBar("Training", isVisible: console.isTalkative, startingAt: firstStep)
    var measuringBar = ProgressBar("Measuring the speed", isVisible: console.isTalkative)
    while let step = trainer.next() {
      guard step.loss.isFinite else { throw TrainingError.diverged(step: step.index) }
      losses.append(step.loss)
      let now = Date()
      let done = step.index - firstStep
      if done == Self.warmUpSteps { measured = now }
      if trainer.rate.total == Int.max {
        measuringBar.update(min(done, Self.measuredSteps), of: Self.measuredSteps)
      }
      if trainer.rate.total == Int.max, done >= Self.measuredSteps {
        let seconds = now.timeIntervalSince(measured) / Double(done - Self.warmUpSteps)
        let left = minutes * 60 - now.timeIntervalSince(start)
        trainer.rate.total = step.index + max(1, Int(left / seconds))
        try onTotal(trainer.rate.total)
      }
      if trainer.rate.total < Int.max {
        bar.update(
          step.index, of: trainer.rate.total, note: note(done, now.timeIntervalSince(start)))
      }
      if interruption.isRequested {
        bar.finish()
        try save(trainer)
        return false
      }
      if now.timeIntervalSince(lastState) >= stateEverySeconds {
        try save(trainer)
        lastState = Date()
      }
      if sheetEverySeconds > 0, now.timeIntervalSince(lastSheet) >= sheetEverySeconds {
        try draw(sheet(), trainer)
        lastSheet = Date()
      }
    }
    bar.finish()
    try save(trainer)
    if sheetEverySeconds > 0 { try draw(sheet(), trainer) }
    return true
  }

  private func save(_ trainer: DiffusionTrainer) throws {
    try TrainingState.save(
      trainer.optimizer, step: trainer.step, losses: losses, notes: [:], in: run.path)
    try run.drawLosses(losses, title: "Training loss")
  }

  private func draw(_ sheet: (pictures: [Image], prompts: [String]), _ trainer: DiffusionTrainer)
    throws
  {
    try run.writeSheet(sheet.pictures, prompts: sheet.prompts, step: trainer.step)
  }

  private func note(_ done: Int, _ seconds: Double) -> String {
    let recent = losses.suffix(100)
    let loss = recent.reduce(0, +) / Float(max(1, recent.count))
    return
      "loss \(rounded(loss, 4))  \(rounded(Float(Double(done) / max(seconds, 1e-3)), 2)) steps/s"
  }

  private func rounded(_ value: Float, _ digits: Int) -> String {
    String(format: "%.\(digits)f", Double(value))
  }
}
