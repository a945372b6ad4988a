import Foundation

/// Differences by sampler and kind of model, for people: the worst and the mean, in grey levels.
struct ParityTable {
  private var cells: [String: [String: [PictureDifference]]] = [:]

  mutating func add(_ difference: PictureDifference, sampler: String, kind: String) {
    cells[sampler, default: [:]][kind, default: []].append(difference)
  }

  /// A row per sampler, a column per kind, and both ends with the worst of all.
  var markdown: String {
    let kinds = Set(cells.values.flatMap(\.keys)).sorted()
    func row(_ name: String, _ found: [String: [PictureDifference]]) -> String {
      let texts = kinds.map { text(found[$0] ?? []) } + [text(found.values.flatMap(\.self))]
      return "| \(([name] + texts).joined(separator: " | ")) |"
    }
    let all = cells.values.reduce(into: [:]) { $0.merge($1, uniquingKeysWith: +) }
    let head = ["sampler"] + kinds + ["all"]
    return
      (["| \(head.joined(separator: " | ")) |", "|\(head.map { _ in "---|" }.joined())"]
      + cells.keys.sorted().map { row($0, cells[$0] ?? [:]) } + [row("all", all)])
      .joined(separator: "\n") + "\n"
  }

  private func text(_ found: [PictureDifference]) -> String {
    guard let worst = found.map(\.worst).max(), let mean = found.map(\.mean).max() else {
      return "-"
    }
    return "\(worst) / \(String(format: "%.4f", mean))"
  }
}
