import Foundation

/// A bar with rate and remaining time on standard error; plain lines now and then when that is no
/// terminal.
///
/// Nothing is drawn in the first seconds, so that quick work stays silent.
struct ProgressBar {
  private let title: String
  private let isVisible: Bool
  private let isTerminal = isatty(2) == 1
  private let start = Date()
  private let first: Int
  private var lastDrawn = Date.distantPast
  private var hasDrawn = false

  /// A bar that has drawn nothing yet.
  ///
  /// - Parameters:
  ///   - title: what is being done.
  ///   - isVisible: whether anything is drawn at all.
  ///   - first: units that were done before this run, which do not count for the rate.
  init(_ title: String, isVisible: Bool, startingAt first: Int = 0) {
    (self.title, self.isVisible, self.first) = (title, isVisible, first)
  }

  /// Draws the state, at most ten times a second (every 30 seconds where lines are printed).
  mutating func update(_ done: Int, of total: Int, note: String = "") {
    let now = Date()
    let elapsed = now.timeIntervalSince(start)
    let isLast = done >= total
    guard isVisible, elapsed > 0.5 || hasDrawn else { return }
    guard isLast || now.timeIntervalSince(lastDrawn) > (isTerminal ? 0.1 : 30) else { return }
    lastDrawn = now
    hasDrawn = true
    let rate = Double(done - first) / max(elapsed, 1e-3)
    let remaining = rate > 0 ? Double(total - done) / rate : 0
    let time = isLast ? "in \(duration(elapsed))" : "\(duration(remaining)) left"
    let counts = "\(done)/\(total)"
    let details = [counts, note, time].filter { !$0.isEmpty }.joined(separator: "  ")
    let line =
      isTerminal ? "\r\u{1B}[K\(title) \(bar(done, total)) \(details)" : "\(title) \(details)\n"
    FileHandle.standardError.write(Data(line.utf8))
    if isLast { finish() }
  }

  /// Ends the line, so that other output starts on its own.
  mutating func finish() {
    guard hasDrawn, isTerminal else { return }
    hasDrawn = false
    FileHandle.standardError.write(Data("\n".utf8))
  }

  private func bar(_ done: Int, _ total: Int) -> String {
    let width = 24
    let eighths = total == 0 ? 0 : min(width * 8, done * width * 8 / total)
    let partial = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"][eighths % 8]
    let full = String(repeating: "█", count: eighths / 8) + partial
    return "▕" + full + String(repeating: " ", count: max(0, width - full.count)) + "▏"
  }
}

/// 3725 → "1h02m", 185 → "3m05s", 7.3 → "7s".
func duration(_ seconds: Double) -> String {
  let whole = Int(max(0, seconds).rounded())
  func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
  if whole >= 3600 { return "\(whole / 3600)h\(two(whole % 3600 / 60))m" }
  return whole >= 60 ? "\(whole / 60)m\(two(whole % 60))s" : "\(whole)s"
}
