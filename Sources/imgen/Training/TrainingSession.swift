import ArgumentParser
import Foundation
import Training

/// What the training commands do around their trainers: `train` is the loop of all of them, with
/// progress, states, whatever else is done now and then, and Ctrl-C.
protocol TrainingSession {
  associatedtype Settings: RunSettings

  /// The run's folder.
  var folder: RunFolder { get }
  var console: ConsoleOptions { get }
  /// Kept in the folder; the loop fills in the number of steps once it is known.
  var settings: Settings { get set }
  /// Steps done so far; fewer than before when a run goes back to heal itself.
  var step: Int { get }
  /// What is done now and then, in this order.
  var chores: [Chore<Self>] { get }

  /// What the progress bar says.
  func note(stepsPerSecond: Double) -> String
  /// Makes the next step.
  ///
  /// - Parameter progress: share of the run that is done.
  /// - Throws: `TrainingError` when the run cannot go on.
  mutating func advance(progress: Double) throws
  /// Writes a state, from which the run can go on.
  mutating func saveState() throws
  /// Called after the last step.
  mutating func complete() throws
}

/// Something that a session does between steps.
struct Chore<Session> {
  let everySeconds: Double
  let run: (inout Session) throws -> Void
}

extension TrainingSession {
  /// Trains to the end.
  ///
  /// - Parameter minutes: time for a run whose settings have no number of steps.
  /// - Returns: whether the run is over; `false` after Ctrl-C. The state is saved in both cases.
  /// - Throws: `TrainingError` when the run cannot go on or a file cannot be written.
  mutating func train(minutes: Double) throws -> Bool {
    let interruption = Interruption()
    var clock = RunClock(first: step, total: settings.totalSteps, minutes: minutes)
    var bar = ProgressBar("Training", isVisible: console.isTalkative, startingAt: step)
    let chores = chores
    var last = chores.map { _ in Date() }
    while step < clock.total ?? .max {
      try advance(progress: clock.progress(step))
      if let total = clock.measure(step) {
        settings.totalSteps = total
        try folder.write(settings: settings)
      }
      bar.update(
        step, of: clock.total ?? clock.expected(step),
        note: note(stepsPerSecond: clock.rate(step)))
      if interruption.isRequested {
        bar.finish()
        try saveState()
        return false
      }
      for (index, chore) in chores.enumerated()
      where Date().timeIntervalSince(last[index]) >= chore.everySeconds {
        try chore.run(&self)
        last[index] = Date()
      }
    }
    bar.finish()
    try complete()
    return true
  }
}

extension ConsoleOptions {
  /// Ends a command that was stopped by Ctrl-C after its state was saved.
  func stopTraining() throws -> Never {
    say("Stopped and saved. Go on with the same command.")
    throw ExitCode(130)
  }
}

/// The mean of the last losses, which jump too much one by one.
func recentMean(_ losses: [Float]) -> Double {
  let recent = losses.suffix(100)
  return Double(recent.reduce(0, +)) / Double(max(1, recent.count))
}
