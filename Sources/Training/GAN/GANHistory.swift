import Foundation

/// The numbers of each step of a GAN's training.
package struct GANHistory {
  /// By name, one number per step; `nan` where a step has none.
  private var steps: [String: [Float]]
  /// Quality of the pictures after some of the steps; smaller is better.
  package private(set) var quality: [(step: Int, value: Float)] = []

  private static let names = [
    "loss_d", "loss_g", "logit_real", "logit_fake", "penalty", "norm_d", "norm_g",
  ]

  /// A history without steps.
  package init() { steps = Dictionary(uniqueKeysWithValues: Self.names.map { ($0, []) }) }

  /// The history in a state, or `nil` when the state has none.
  package init?(_ series: [String: [Float]]) {
    let lengths = Set(Self.names.map { series[$0]?.count ?? -1 })
    guard lengths.count == 1, !lengths.contains(-1),
      (series["quality_step"] ?? []).allSatisfy({ (0...1e9).contains($0) })
    else { return nil }
    steps = series.filter { Self.names.contains($0.key) }
    quality = zip(series["quality_step"] ?? [], series["quality"] ?? []).map { (Int($0), $1) }
  }

  /// All numbers by name, to be kept in a state.
  package var series: [String: [Float]] {
    steps.merging([
      "quality_step": quality.map { Float($0.step) }, "quality": quality.map(\.value),
    ]) { $1 }
  }

  /// The numbers of one name, one per step.
  package func values(_ name: String) -> [Float] { steps[name] ?? [] }

  /// Number of steps.
  package var count: Int { values("loss_d").count }

  /// Adds a step.
  mutating func append(_ step: GANStep) {
    let values = [
      step.discriminatorLoss, step.generatorLoss, step.realLogit, step.fakeLogit,
      step.penalty ?? .nan, step.gradientNorms.discriminator, step.gradientNorms.generator,
    ]
    for (name, value) in zip(Self.names, values) { steps[name, default: []].append(value) }
  }

  /// Notes the quality of the pictures after the last step.
  package mutating func note(quality value: Float) { quality.append((count, value)) }

  /// Drops all but the first `count` steps.
  mutating func cut(to count: Int) {
    steps = steps.mapValues { Array($0.prefix(count)) }
    quality.removeAll { $0.step > count }
  }

  /// The mean of a series over its last steps.
  package func recent(_ name: String, over count: Int = 100) -> Float {
    let values = values(name).suffix(count).filter { !$0.isNaN }
    return values.reduce(0, +) / Float(max(1, values.count))
  }

  /// A table for other programs: a line per step.
  package var csv: String {
    let columns = Self.names.map(values)
    var text = "step," + Self.names.joined(separator: ",") + "\n"
    for index in 0..<count {
      let cells = columns.map { $0[index].isNaN ? "" : "\($0[index])" }
      text += "\(index + 1)," + cells.joined(separator: ",") + "\n"
    }
    return text
  }
}
