import Foundation

/// The numbers of each step of a GAN's training.
package struct GANHistory: Equatable {
  /// By name, one number per step; `nan` where a step has none.
  package private(set) var series: [String: [Float]]

  private static let names = [
    "loss_d", "loss_g", "logit_real", "logit_fake", "penalty", "norm_d", "norm_g",
  ]

  /// A history without steps.
  package init() { series = Dictionary(uniqueKeysWithValues: Self.names.map { ($0, []) }) }

  /// The history in a state, or `nil` when the state has none.
  package init?(_ series: [String: [Float]]) {
    guard Self.names.allSatisfy({ series[$0] != nil }) else { return nil }
    self.series = series.filter { Self.names.contains($0.key) }
  }

  /// Number of steps.
  package var count: Int { series["loss_d"]?.count ?? 0 }

  /// Adds a step.
  mutating func append(_ step: GANStep) {
    let values = [
      step.discriminatorLoss, step.generatorLoss, step.realLogit, step.fakeLogit,
      step.penalty ?? .nan, step.gradientNorms.discriminator, step.gradientNorms.generator,
    ]
    for (name, value) in zip(Self.names, values) { series[name, default: []].append(value) }
  }

  /// Drops all but the first `count` steps.
  mutating func cut(to count: Int) {
    series = series.mapValues { Array($0.prefix(count)) }
  }

  /// The mean of a series over its last steps.
  package func recent(_ name: String, over count: Int = 100) -> Float {
    let values = (series[name] ?? []).suffix(count).filter { !$0.isNaN }
    return values.reduce(0, +) / Float(max(1, values.count))
  }

  /// A table for other programs: a line per step.
  package var csv: String {
    let columns = Self.names.map { series[$0] ?? [] }
    var text = "step," + Self.names.joined(separator: ",") + "\n"
    for index in 0..<count {
      let cells = columns.map { $0[index].isNaN ? "" : "\($0[index])" }
      text += "\(index + 1)," + cells.joined(separator: ",") + "\n"
    }
    return text
  }
}
