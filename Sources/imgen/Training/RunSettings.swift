import ArgumentParser
import Foundation

/// What decides the numbers of a run, kept in its folder so that it goes on as it began.
protocol RunSettings: Codable, Equatable {
  /// Steps in all; `nil` until it is known how many fit into the time.
  var totalSteps: Int? { get set }

  /// These settings with what the run has found out by itself, beside the number of steps.
  func completed(by stored: Self) -> Self
}

extension RunSettings {
  /// Nothing is found out.
  func completed(by stored: Self) -> Self { self }

  /// Refuses to go on with other settings than the run was started with.
  ///
  /// - Parameters:
  ///   - asked: what is asked for now.
  ///   - folder: of the run.
  /// - Throws: `ValidationError` that names the differences.
  func check(against asked: Self, in folder: String) throws {
    var comparable = asked.completed(by: self)
    if asked.totalSteps == nil { comparable.totalSteps = totalSteps }
    guard comparable != self else { return }
    let (stored, given) = (try members(), try comparable.members())
    let differences = Set(stored.keys).union(given.keys).sorted().filter {
      stored[$0] != given[$0]
    }.map { "\($0) was \(stored[$0] ?? "not given"), is \(given[$0] ?? "not given")" }
    throw ValidationError(
      "\(folder) holds a run with other settings: \(differences.joined(separator: "; ")). "
        + "Give the same ones to go on with it, or another --out to start anew.")
  }

  /// The settings by name, in words.
  private func members() throws -> [String: String] {
    let object = try JSONSerialization.jsonObject(with: JSONEncoder().encode(self))
    return (object as? [String: Any] ?? [:]).mapValues { "\($0)" }
  }
}
