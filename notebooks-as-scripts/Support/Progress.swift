import Foundation

/// Says now and then how far a loop is and how long it will take.
package struct Progress {
  private let total: Int
  private let unit: String
  private let interval: Double
  private let start = Date()
  private var last = Date()

  /// For a loop of `total` rounds, each called a `unit`; a line every `interval` seconds.
  package init(_ total: Int, _ unit: String, interval: Double = 5) {
    (self.total, self.unit, self.interval) = (total, unit, interval)
  }

  /// Takes note that `done` rounds are over; `note` is added to the line, if there is one.
  package mutating func update(_ done: Int, _ note: @autoclosure () -> String = "") {
    guard Date().timeIntervalSince(last) >= interval || done == total else { return }
    last = Date()
    let elapsed = last.timeIntervalSince(start)
    let left = elapsed / Double(max(1, done)) * Double(total - done)
    let time =
      done == total ? "took \(seconds(elapsed))" : "\(seconds(left)) left"
    print("  \(unit) \(done) of \(total), \(time)  \(note())")
    // A pipe or a file would otherwise show nothing until the end.
    fflush(nil)
  }

  private func seconds(_ value: Double) -> String { String(format: "%.0f s", value) }
}

/// A number with two digits behind the point.
package func short(_ value: some BinaryFloatingPoint) -> String {
  String(format: "%.2f", Double(value))
}
