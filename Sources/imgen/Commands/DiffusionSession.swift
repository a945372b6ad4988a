import Foundation
import ImageIO
import Training

/// The training of a denoiser: its states, its loss curve and its sample sheets.
struct DiffusionSession: TrainingSession {
  let folder: RunFolder
  let console: ConsoleOptions
  var settings: TrainSettings
  var trainer: DiffusionTrainer
  /// Loss of each step so far.
  var losses: [Float]
  let stateEverySeconds: Double
  /// 0: no sheets.
  let sheetEverySeconds: Double
  /// Makes the pictures of a sample sheet.
  let sheet: () throws -> (pictures: [Image], prompts: [String])

  var step: Int { trainer.step }

  var chores: [Chore<DiffusionSession>] {
    let state = Chore<DiffusionSession>(everySeconds: stateEverySeconds) { try $0.saveState() }
    guard sheetEverySeconds > 0 else { return [state] }
    return [state, Chore(everySeconds: sheetEverySeconds) { try $0.drawSheet() }]
  }

  func note(stepsPerSecond: Double) -> String {
    String(format: "loss %.4f  %.2f steps/s", recentMean(losses), stepsPerSecond)
  }

  mutating func advance(progress: Double) throws {
    trainer.rate.total = settings.totalSteps ?? .max
    guard let step = trainer.next() else { return }
    guard step.loss.isFinite else { throw TrainingError.diverged(step: step.index) }
    losses.append(step.loss)
  }

  func saveState() throws {
    try TrainingState.save(
      trainer.optimizer, step: trainer.step, losses: losses, notes: [:], in: folder.path)
    try folder.drawLosses(losses, title: "Training loss")
  }

  func complete() throws {
    try saveState()
    if sheetEverySeconds > 0 { try drawSheet() }
  }

  private func drawSheet() throws {
    let (pictures, prompts) = try sheet()
    try folder.writeSheet(pictures, prompts: prompts, step: trainer.step)
  }
}
