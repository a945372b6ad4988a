import ArgumentParser

/// Refusals of values that several commands share, each saying what was given and what would do.
enum OptionChecks {
  /// Refuses what is not valid.
  static func require(_ isValid: Bool, _ text: String) throws {
    if !isValid { throw ValidationError(text) }
  }

  /// Refuses a value outside of a range; none at all is fine.
  ///
  /// - Parameters:
  ///   - option: its name without hyphens in front.
  ///   - value: that was given.
  ///   - range: what would do.
  /// - Throws: `ValidationError`.
  static func require<T: Comparable>(
    _ option: String, _ value: T?, in range: ClosedRange<T>
  ) throws {
    guard let value, !range.contains(value) else { return }
    throw ValidationError(
      "--\(option) is \(value), expected \(range.lowerBound) to \(range.upperBound).")
  }

  /// Refuses minutes that no run takes.
  static func require(minutes: Double?) throws {
    guard let minutes, !(minutes > 0 && minutes <= 1e6) else { return }
    throw ValidationError("--minutes is \(minutes), expected more than 0, up to 1e6.")
  }

  /// Refuses learning rates with which nothing is learned.
  static func require(learningRate: Float) throws {
    try require(
      learningRate > 0 && learningRate < 1, "--learning-rate is \(learningRate), expected 0 to 1.")
  }

  /// Refuses a number of steps below 1.
  static func require(steps: Int?) throws {
    try require(steps ?? 1 >= 1, "--steps must be at least 1.")
  }

  /// Refuses options that are below 0.
  static func require<T: Numeric & Comparable>(notNegative options: KeyValuePairs<String, T>) throws
  {
    for (name, value) in options { try require(value >= 0, "--\(name) must not be negative.") }
  }
}
