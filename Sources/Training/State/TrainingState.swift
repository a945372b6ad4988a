import Checkpoints
import ComputeCore
import Foundation
import Layers

/// Everything a run needs to go on as if it had never stopped, in one file.
///
/// `state-<step>.safetensors` holds parameters, moments, averages and the losses so far; random
/// numbers and the order of the data follow from the seed and the step. A file appears complete or
/// not at all, and the last two are kept.
package struct TrainingState {
  /// Steps done.
  package let step: Int
  /// Loss of each step.
  package var losses: [Float] { series["losses"] ?? [] }
  /// Numbers of each step by name.
  package let series: [String: [Float]]
  /// What the trainer noted beside the numbers.
  package let notes: [String: String]
  private let file: SafetensorsFile

  /// The newest state of a run's folder that can be read, or `nil` when there is none.
  ///
  /// - Parameters:
  ///   - folder: of the run.
  ///   - skipped: is told about each newer state that cannot be read.
  /// - Returns: the state, whose tensors are not read yet.
  package static func latest(
    in folder: String, skipped: (TrainingError) -> Void = { _ in }
  ) -> TrainingState? {
    for path in paths(in: folder).reversed() {
      do throws(TrainingError) {
        return try TrainingState(path: path)
      } catch {
        skipped(error)
      }
    }
    return nil
  }

  /// Reads a state's header; the tensors are read by `restore(_:)`.
  package init(path: String) throws(TrainingError) {
    do throws(CheckpointError) {
      file = try SafetensorsFile(path)
      guard let step = file.metadata["imgen.step"].flatMap(Int.init) else {
        throw CheckpointError.unreadable(file: path, reason: "it holds no training state")
      }
      self.step = step
      var series: [String: [Float]] = [:]
      for name in (file.metadata["imgen.series"] ?? "losses").split(separator: ",") {
        series[String(name)] = try file.tensor(String(name)).values
      }
      self.series = series
      notes = file.metadata
    } catch {
      throw .checkpoint(error)
    }
  }

  /// Writes the state of `optimizer` after `step` steps and removes all but the last two.
  package static func save(
    _ optimizer: AdamW, step: Int, losses: [Float], notes: [String: String], in folder: String
  ) throws(TrainingError) {
    try save(["": optimizer], step: step, series: ["losses": losses], notes: notes, in: folder)
  }

  /// The same with several optimizers.
  ///
  /// - Parameters:
  ///   - optimizers: by what tells the keys of their parameters apart.
  ///   - step: steps done.
  ///   - series: numbers of each step by name; no name is that of another tensor or has a comma.
  ///   - notes: what else is to be kept.
  ///   - folder: of the run.
  /// - Throws: `TrainingError.checkpoint` when the file cannot be written.
  package static func save(
    _ optimizers: [String: AdamW], step: Int, series: [String: [Float]], notes: [String: String],
    in folder: String
  ) throws(TrainingError) {
    var metadata = notes
    metadata["imgen.step"] = String(step)
    metadata["imgen.series"] = series.keys.sorted().joined(separator: ",")
    var entries = series.sorted { $0.key < $1.key }.map {
      SafetensorsEntry($0.key, Tensor($0.value, [$0.value.count]))
    }
    for (prefix, optimizer) in optimizers.sorted(by: { $0.key < $1.key }) {
      metadata[updatesKey(prefix)] = String(optimizer.updates)
      entries += self.entries(of: optimizer, prefix)
    }
    let name = "state-" + String(repeating: "0", count: max(0, 8 - String(step).count)) + "\(step)"
    do throws(CheckpointError) {
      try SafetensorsWriter.write(
        entries, metadata: metadata, to: "\(folder)/\(name).safetensors")
    } catch {
      throw .checkpoint(error)
    }
    for old in paths(in: folder).dropLast(2) + unfinished(in: folder) {
      try? FileManager.default.removeItem(atPath: old)
    }
  }

  private static func updatesKey(_ prefix: String) -> String {
    prefix.isEmpty ? "imgen.updates" : "imgen.updates.\(prefix)"
  }

  private static func entries(of optimizer: AdamW, _ prefix: String) -> [SafetensorsEntry] {
    var entries: [SafetensorsEntry] = []
    for (index, entry) in optimizer.parameters.enumerated() {
      let key = prefix.isEmpty ? entry.key : "\(prefix).\(entry.key)"
      entries += [
        SafetensorsEntry("value." + key, entry.parameter.value.detached()),
        SafetensorsEntry("first." + key, optimizer.firstMoments[index]),
        SafetensorsEntry("second." + key, optimizer.secondMoments[index]),
      ]
      if !optimizer.averages.isEmpty {
        entries.append(SafetensorsEntry("average." + key, optimizer.averages[index]))
      }
    }
    return entries
  }

  /// Puts the stored numbers into `optimizer` and its parameters.
  ///
  /// - Parameters:
  ///   - optimizer: as it was when the state was saved.
  ///   - prefix: what it was saved under, when there were several.
  /// - Throws: `TrainingError.checkpoint` when the file is of a run with other parameters; nothing
  ///   is changed then.
  package func restore(_ optimizer: AdamW, _ prefix: String = "") throws(TrainingError) {
    do throws(CheckpointError) {
      func tensors(_ kind: String) throws(CheckpointError) -> [Tensor] {
        var found: [Tensor] = []
        for entry in optimizer.parameters {
          let key = kind + (prefix.isEmpty ? "" : prefix + ".") + entry.key
          let tensor = try file.tensor(key)
          guard tensor.shape == entry.parameter.shape else {
            throw CheckpointError.unreadable(
              file: file.path,
              reason: "\(key) has shape \(tensor.shape), this run needs "
                + "\(entry.parameter.shape); it belongs to a run with other settings")
          }
          found.append(tensor)
        }
        return found
      }
      let updates = notes[Self.updatesKey(prefix)].flatMap(Int.init) ?? step
      optimizer.restore(
        updates: updates, values: try tensors("value."), firstMoments: try tensors("first."),
        secondMoments: try tensors("second."),
        averages: optimizer.averages.isEmpty ? [] : try tensors("average."))
    } catch {
      throw .checkpoint(error)
    }
  }

  /// Removes the states of later steps, which a run has gone back behind.
  package static func remove(after step: Int, in folder: String) {
    for path in paths(in: folder) {
      let digits = path.split(separator: "-").last?.prefix { $0.isNumber } ?? ""
      guard let found = Int(digits), found > step else { continue }
      try? FileManager.default.removeItem(atPath: path)
    }
  }

  private static func paths(in folder: String) -> [String] {
    names(in: folder).filter { $0.hasSuffix(".safetensors") }.map { "\(folder)/\($0)" }
  }

  /// What a run that was killed while it wrote a state left behind.
  private static func unfinished(in folder: String) -> [String] {
    names(in: folder).filter { $0.contains(".safetensors.") }.map { "\(folder)/\($0)" }
  }

  private static func names(in folder: String) -> [String] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return names.filter { $0.hasPrefix("state-") }.sorted()
  }
}
