import Training

/// A run that begins, or goes on where it was stopped.
struct StartedRun<Settings: RunSettings> {
  let folder: RunFolder
  /// Where it was stopped; `nil` when it begins.
  let state: TrainingState?
  /// Those of the run, which are the ones asked for and what it has found out by itself.
  let settings: Settings

  /// Makes the folder, or reads what it holds.
  ///
  /// - Parameters:
  ///   - path: of the folder.
  ///   - asked: settings that are asked for now.
  ///   - console: told about states that cannot be read.
  /// - Throws: `ValidationError` when the run was begun with other settings, `TrainingError` when
  ///   the folder cannot be used.
  init(_ path: String, _ asked: Settings, _ console: ConsoleOptions) throws {
    folder = try RunFolder(path)
    state = TrainingState.latest(in: folder.path) {
      console.warn("\($0) Going on with the state before it.")
    }
    guard state != nil, let stored = try folder.settings(Settings.self) else {
      settings = asked
      return
    }
    try stored.check(against: asked, in: folder.path)
    settings = stored
  }

  /// What begins now: "Training", or "Going on with step 12 of".
  var words: String { state.map { "Going on with step \($0.step + 1) of" } ?? "Training" }
}
