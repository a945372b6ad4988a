import Foundation
import ImageIO
import Plots

/// The accuracies of a run so far, kept in its states.
package struct AccuracyLog: Codable, Equatable, Sendable {
  /// An accuracy after a number of steps.
  package struct Entry: Codable, Equatable, Sendable {
    /// Steps done.
    package let step: Int
    /// Share of pictures that were taken for what they are.
    package let accuracy: Double
  }

  /// Means over some steps each, of the varied pictures that were learnt from.
  package private(set) var training: [Entry] = []
  /// Of the pictures that are not learnt from.
  package private(set) var test: [Entry] = []
  private var sum = 0.0
  private var steps = 0

  package init() {}

  /// Reads the log of a state; an empty one when there is none.
  package init(_ state: TrainingState?) {
    let text = state?.notes[Self.key] ?? ""
    self = (try? JSONDecoder().decode(AccuracyLog.self, from: Data(text.utf8))) ?? AccuracyLog()
  }

  /// What to keep in a state.
  package var notes: [String: String] {
    guard let data = try? JSONEncoder().encode(self) else { return [:] }
    return [Self.key: String(decoding: data, as: UTF8.self)]
  }

  private static var key: String { "imgen.accuracies" }

  /// Takes note of a step; an entry is made of every `interval` of them.
  package mutating func add(_ step: ClassifierStep, interval: Int) {
    sum += step.accuracy
    steps += 1
    guard step.index % max(1, interval) == 0 else { return }
    training.append(Entry(step: step.index, accuracy: sum / Double(steps)))
    (sum, steps) = (0, 0)
  }

  /// Takes note of a test after `step` steps.
  package mutating func addTest(_ accuracy: Double, step: Int) {
    test.append(Entry(step: step, accuracy: accuracy))
  }

  /// The chart, over epochs of `stepsPerEpoch` steps; `nil` while there is nothing to draw.
  package func chart(stepsPerEpoch: Int, title: String) -> Image? {
    func series(_ name: String, _ entries: [Entry]) -> LineChart.Series {
      LineChart.Series(
        name, x: entries.map { Double($0.step) / Double(max(1, stepsPerEpoch)) },
        y: entries.map { 100 * $0.accuracy })
    }
    guard training.count + test.count > 1 else { return nil }
    return LineChart(
      [series("training (varied pictures)", training), series("test", test)].filter {
        !$0.x.isEmpty
      },
      title: title, xLabel: "epoch", yLabel: "accuracy in %"
    ).image
  }
}
