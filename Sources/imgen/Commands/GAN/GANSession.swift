import Checkpoints
import ComputeCore
import Foundation
import GAN
import ImageIO
import Plots
import Training

/// The training of a GAN: its states, its sheets, its curves and its quality.
struct GANSession: TrainingSession {
  let folder: RunFolder
  let console: ConsoleOptions
  var settings: GANSettings
  var run: GANRun
  let quality: GANQuality?
  var sheetEvery = 20.0
  var qualityEvery = 60.0
  var stateEvery = 60.0

  var step: Int { run.trainer.step }

  var chores: [Chore<GANSession>] {
    var chores: [Chore<GANSession>] = []
    if sheetEvery > 0 {
      chores.append(Chore(everySeconds: sheetEvery) { try $0.drawSheet() })
    }
    if let quality {
      chores.append(Chore(everySeconds: qualityEvery) { try $0.measure(quality) })
    }
    return chores + [Chore(everySeconds: stateEvery) { try $0.saveHealthyState() }]
  }

  mutating func advance(progress: Double) throws { try handle(run.next(progress: progress)) }

  mutating func complete() throws {
    if let quality { try measure(quality) }
    try saveState()
  }

  /// Draws what the networks make before they have learned anything.
  func drawStart() throws {
    if sheetEvery > 0, step == 0 { try drawSheet() }
  }

  /// Draws the last sheet and the animation of all of them.
  func drawEnd() throws {
    guard sheetEvery > 0 else { return }
    try drawSheet()
    try animate()
  }

  /// Writes both networks, the generator with its averages.
  func saveModel(to path: String) throws {
    try run.trainer.optimizers.generator.withAverages {
      try run.trainer.networks.generator.save(folder: path, as: .f16)
    }
    try run.trainer.networks.discriminator.save(folder: path, as: .f16)
  }

  private func handle(_ event: GANRun.Event) throws {
    switch event {
    case .step: break
    case .wentBack(let sign, let step, let scale):
      console.warn(
        "\(sign): going back to step \(step) and on with \(percent(scale)) of the learning rate")
      try forget(after: step)
      try saveState()
    case .gaveUp(let sign):
      try forget(after: run.trainer.step)
      try saveState()
      throw TrainingError.invalidSetting(
        "\(sign), even after going back \(GANRun.relapseLimit) times; start again in another --out "
          + "with a lower --learning-rate or a higher --gamma")
    }
  }

  /// Removes states and sheets of steps that the run has gone back behind.
  private func forget(after step: Int) throws {
    TrainingState.remove(after: step, in: folder.path)
    for name in sheets() where sheetStep(name) > step {
      try FileManager.default.removeItem(atPath: "\(folder.path)/samples/\(name)")
    }
  }

  /// Names of the sheets, in order of their steps.
  private func sheets() -> [String] {
    let names =
      (try? FileManager.default.contentsOfDirectory(atPath: folder.path + "/samples")) ?? []
    return names.filter { $0.hasPrefix("step-") && $0.hasSuffix(".png") }.sorted()
  }

  private func sheetStep(_ name: String) -> Int { Int(name.dropFirst(5).dropLast(4)) ?? 0 }

  private func percent(_ share: Float) -> String { String(format: "%.3g %%", Double(share) * 100) }

  func note(stepsPerSecond: Double) -> String {
    let history = run.history
    func number(_ name: String) -> String { String(format: "%.2f", Double(history.recent(name))) }
    let score = history.quality.last.map { last in
      "\(quality?.name ?? "quality") \(String(format: "%.2f", Double(last.value)))  "
    }
    let rate = stepsPerSecond * Double(run.trainer.config.batchSize)
    return (score ?? "")
      + "loss D \(number("loss_d")) G \(number("loss_g"))  logits \(number("logit_real")) / "
      + "\(number("logit_fake"))  norms \(number("norm_d")) / \(number("norm_g"))  "
      + "\(Int(rate)) pictures/s"
  }

  private mutating func measure(_ quality: GANQuality) throws {
    let (optimizer, generator) = (run.trainer.optimizers.generator, run.trainer.networks.generator)
    run.note(quality: try optimizer.withAverages { try quality.score(generator) })
  }

  /// Only what was looked at and found well is worth coming back to.
  private mutating func saveHealthyState() throws {
    if let event = run.look() { try handle(event) } else { try saveState() }
  }

  func saveState() throws {
    try run.trainer.save(history: run.history, in: folder.path)
    try folder.write(table: run.history.csv, to: "history.csv")
    try drawCurves()
  }

  /// Draws the losses, the logits and the quality so far.
  private func drawCurves() throws {
    let history = run.history
    guard history.count > 1 else { return }
    let steps = (1...history.count).map(Double.init)
    func chart(_ names: [(String, String)], _ title: String, _ file: String) throws {
      let lines = names.map { name, title in
        LineChart.Series(
          title, x: steps, y: history.values(name).map(Double.init), smoothing: 0.98)
      }
      try folder.write(LineChart(lines, title: title, xLabel: "step").image, to: file)
    }
    try chart([("loss_d", "discriminator"), ("loss_g", "generator")], "Losses", "loss.png")
    try chart(
      [("logit_real", "real pictures"), ("logit_fake", "generated pictures")], "Logits",
      "logits.png")
    guard let quality, history.quality.count > 1 else { return }
    let line = LineChart.Series(
      quality.name, x: history.quality.map { Double($0.step) },
      y: history.quality.map { Double($0.value) })
    try folder.write(
      LineChart([line], title: "\(quality.name), smaller is better", xLabel: "step").image,
      to: "quality.png")
  }

  /// The same noise at every time: a row per class, or a square without classes.
  private func drawSheet() throws {
    let generator = run.trainer.networks.generator
    let classes = min(10, generator.config.classNames.count)
    let (rows, columns) = (classes == 0 ? 10 : classes, 10)
    let places = 0..<rows * columns
    let order = PictureOrder(
      seeds: places.map(UInt64.init), labels: places.map { Int32(classes == 0 ? 0 : $0 / columns) })
    let images = run.trainer.optimizers.generator.withAverages {
      generator.images(order, side: 56)
    }
    let digits = "\(run.trainer.step)"
    let name = String(repeating: "0", count: max(0, 7 - digits.count)) + digits
    try folder.write(
      contactSheet(images, columns: columns, padding: 2), to: "samples/step-\(name).png")
  }

  /// Makes `learning.png` of the sheets.
  private func animate() throws {
    let names = sheets()
    let stride = max(1, (names.count + 59) / 60)
    let chosen = names.indices.filter { $0 % stride == 0 || $0 == names.count - 1 }
    var frames = chosen.compactMap {
      try? Image(contentsOf: "\(folder.path)/samples/\(names[$0])")
    }
    guard let last = frames.last else { return }
    frames.removeAll { $0.width != last.width || $0.height != last.height }
    guard frames.count > 1 else { return }
    try AnimatedPNG.write(
      frames: frames, secondsPerFrame: 0.25, lastFrameSeconds: 3,
      to: folder.path + "/learning.png")
  }
}
