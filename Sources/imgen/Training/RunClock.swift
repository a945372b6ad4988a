import Foundation

/// How far a run is, by steps or by time.
///
/// A run without a number of steps gets one when its speed is known well enough: as many as fit into
/// the rest of its time at that speed, which counts all that is done between steps.
struct RunClock {
  /// Steps that were done before.
  let first: Int
  /// Steps in all, once that is known.
  private(set) var total: Int?
  private let minutes: Double
  private let start = Date()
  /// When counting began: the first steps are slower.
  private var counted: (date: Date, step: Int)?

  /// Steps that do not count, and the least that do.
  private static let warmUpSteps = 10
  /// Seconds after which the number of steps is fixed: machines are slower for some seconds now and
  /// then, so two minutes or a fifth of a short run, and a twentieth of a long one.
  private var measuredSeconds: Double {
    let all = minutes * 60
    return max(0.05 * all, min(0.2 * all, 120))
  }

  /// Starts the time.
  ///
  /// - Parameters:
  ///   - first: steps that were done before.
  ///   - total: steps in all; `nil`: as many as fit into `minutes`.
  ///   - minutes: time for a run without a number of steps.
  init(first: Int, total: Int?, minutes: Double) {
    (self.first, self.total, self.minutes) = (first, total, minutes)
  }

  /// Steps per second.
  func rate(_ step: Int) -> Double {
    let (date, from) = counted ?? (start, first)
    return Double(step - from) / max(1e-3, Date().timeIntervalSince(date))
  }

  /// Steps that will fit, as far as that can be told.
  func expected(_ step: Int) -> Int {
    let left = minutes * 60 - Date().timeIntervalSince(start)
    return step + max(1, Int(left * rate(step)))
  }

  /// Share of the run that is done.
  func progress(_ step: Int) -> Double {
    Double(step) / Double(max(1, total ?? expected(step)))
  }

  /// Fixes the number of steps when it is time for that; returns it then.
  mutating func measure(_ step: Int) -> Int? {
    if counted == nil, step >= first + Self.warmUpSteps { counted = (Date(), step) }
    guard total == nil, let counted, step >= counted.step + Self.warmUpSteps,
      Date().timeIntervalSince(start) >= measuredSeconds
    else { return nil }
    total = expected(step)
    return total
  }
}
