import Checkpoints
import ComputeCore
import Foundation
import ImageIO
import Pipelines
import Plots

/// The folder of a training run: settings, states, the losses and their curve, and sample sheets.
package struct RunFolder {
  /// Path of the folder.
  package let path: String

  /// Makes the folder if it is not there, and removes half-written files of a run that was killed.
  package init(_ path: String) throws(TrainingError) {
    self.path = path
    do throws(CheckpointError) {
      try makeFolder(path + "/samples")
    } catch {
      throw .checkpoint(error)
    }
    // Names as a picture's or a table's writer makes them, and nothing that could be the user's.
    removeUnfinished(in: path) { name in
      name.wholeMatch(of: /(run\.json|loss\.csv|history\.csv)\.[A-Za-z0-9]{6}/) != nil
        || name.wholeMatch(of: /[a-z]+\.png\.[0-9]+\.[0-9]+\.tmp/) != nil
    }
    removeUnfinished(in: path + "/samples") { $0.hasSuffix(".tmp") }
  }

  private func removeUnfinished(in folder: String, where isUnfinished: (String) -> Bool) {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    for name in names where isUnfinished(name) {
      try? FileManager.default.removeItem(atPath: "\(folder)/\(name)")
    }
  }

  /// Whether a run has been started here.
  package var hasSettings: Bool { FileManager.default.fileExists(atPath: settingsPath) }

  private var settingsPath: String { path + "/run.json" }

  /// Reads the settings of the run, or `nil` when none was started.
  package func settings<S: Decodable>(_ type: S.Type) throws(TrainingError) -> S? {
    guard hasSettings else { return nil }
    do {
      return try JSONDecoder().decode(S.self, from: Data(contentsOf: URL(filePath: settingsPath)))
    } catch {
      let found = (error as? DecodingError)?.words ?? error.localizedDescription
      throw .checkpoint(
        .malformed(file: settingsPath, found: found, expected: "settings of a run"))
    }
  }

  /// Writes the settings of the run.
  package func write(settings: some Encodable) throws(TrainingError) {
    do {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
      let text = try encoder.encode(settings)
      var file = try AtomicFile(replacing: settingsPath)
      try file.write([UInt8](text))
      try file.commit()
    } catch let error as CheckpointError {
      throw .checkpoint(error)
    } catch {
      throw .checkpoint(.unwritable(file: settingsPath, reason: "\(error)"))
    }
  }

  /// Draws `loss.png` and writes the same numbers to `loss.csv`.
  package func drawLosses(_ losses: [Float], title: String) throws(TrainingError) {
    guard losses.count > 1 else { return }
    try writeTable(losses)
    let steps = losses.indices.map { Double($0 + 1) }
    let chart = LineChart(
      [LineChart.Series("loss", x: steps, y: losses.map(Double.init), smoothing: 0.95)],
      title: title, xLabel: "step", yLabel: "loss", yScale: .logarithmic)
    try write(chart.image, to: "loss.png")
  }

  private func writeTable(_ losses: [Float]) throws(TrainingError) {
    let lines = losses.enumerated().map { "\($0 + 1),\($1)\n" }
    try write(table: "step,loss\n" + lines.joined(), to: "loss.csv")
  }

  /// Writes `samples/step-<step>.png` with each picture's prompt under it.
  package func writeSheet(_ pictures: [Image], prompts: [String], step: Int) throws(TrainingError) {
    let name = String(repeating: "0", count: max(0, 6 - String(step).count)) + "\(step)"
    let enlarged = pictures.map { picture in
      let factor = max(1, 128 / max(1, picture.width))
      return picture.resized(to: picture.width * factor, picture.height * factor)
    }
    try write(captionedSheet(enlarged, captions: prompts), to: "samples/step-\(name).png")
  }

  /// Writes a table for other programs.
  package func write(table: String, to name: String) throws(TrainingError) {
    do throws(CheckpointError) {
      var file = try AtomicFile(replacing: "\(path)/\(name)")
      try file.write([UInt8](table.utf8))
      try file.commit()
    } catch {
      throw .checkpoint(error)
    }
  }

  /// Writes a picture.
  package func write(_ image: Image, to name: String) throws(TrainingError) {
    do throws(ImageError) {
      try image.writePNG(to: "\(path)/\(name)")
    } catch {
      throw .image(error)
    }
  }
}
