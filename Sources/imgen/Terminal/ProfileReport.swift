import ComputeCore
import Foundation

/// What `IMGEN_PROFILE` asks for: a table of time per kind of operation on standard error, and a
/// trace for chrome://tracing or ui.perfetto.dev.
enum ProfileReport {
  /// Where the trace goes when `IMGEN_PROFILE` is 1; any other value is the path.
  static let defaultPath = "imgen-trace.json"

  /// Reports the profile of this process, if there is one with anything in it.
  static func finish() {
    guard let profile = Profile.shared, !profile.totals.isEmpty else { return }
    let wanted = ProcessInfo.processInfo.environment["IMGEN_PROFILE"] ?? "1"
    let path = wanted == "1" ? defaultPath : wanted
    var text = table(profile.totals, elapsedNanoseconds: profile.elapsedNanoseconds)
    do {
      try trace(profile.events).write(to: URL(fileURLWithPath: path))
      let kept = profile.events.count
      text.append(
        kept < Profile.eventLimit ? "trace: \(path)" : "trace of the first \(kept) calls: \(path)")
    } catch {
      text.append("the trace cannot be written to \(path): \(error.localizedDescription)")
    }
    let lines = text.joined(separator: "\n") + "\n"
    try? FileHandle.standardError.write(contentsOf: Data(lines.utf8))
  }

  /// One line per kind, longest first, and one for the time between operations.
  static func table(
    _ totals: [Profile.Kind: Profile.Total], elapsedNanoseconds: UInt64
  ) -> [String] {
    let table = TextTable(columns: [
      .init(title: "operation", width: 20, isNumber: false),
      .init(title: "direction", width: 9, isNumber: false), .init(title: "calls", width: 8),
      .init(title: "total ms", width: 10), .init(title: "ms/call", width: 9),
      .init(title: "share", width: 6),
    ])
    let elapsed = Double(max(1, elapsedNanoseconds))
    func line(_ name: String, _ direction: String, _ calls: Int?, _ nanoseconds: Double) -> String {
      table.line([
        name, direction, calls.map(String.init) ?? "", String(format: "%.1f", nanoseconds / 1e6),
        calls.map { String(format: "%.3f", nanoseconds / 1e6 / Double($0)) } ?? "",
        String(format: "%.1f%%", 100 * nanoseconds / elapsed),
      ])
    }
    let sorted = totals.sorted {
      ($0.value.nanoseconds, $1.key.name) > ($1.value.nanoseconds, $0.key.name)
    }
    let inside = sorted.reduce(0) { $0 + Double($1.value.nanoseconds) }
    return [table.header]
      + sorted.map {
        line($0.key.name, $0.key.direction.rawValue, $0.value.calls, Double($0.value.nanoseconds))
      } + [
        line("between operations", "", nil, max(0, elapsed - inside)),
        line("everything", "", nil, elapsed),
      ]
  }

  /// Complete events of the trace event format, which other viewers read too.
  private static func trace(_ events: [Profile.Event]) throws -> Data {
    struct Trace: Encodable { let traceEvents: [Call] }
    struct Call: Encodable {
      let name: String
      let cat: String
      let ph = "X"
      let ts: Double
      let dur: Double
      let pid = 1
      let tid: Int
    }
    return try JSONEncoder().encode(
      Trace(
        traceEvents: events.map {
          Call(
            name: $0.kind.name, cat: $0.kind.direction.rawValue,
            ts: Double($0.startNanoseconds) / 1e3, dur: Double($0.nanoseconds) / 1e3,
            tid: $0.thread)
        }))
  }
}
