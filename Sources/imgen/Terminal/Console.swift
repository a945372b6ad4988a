import ArgumentParser
import Foundation

/// What every command may print, and where: results to standard output, the rest to standard error.
struct ConsoleOptions: ParsableArguments {
  @Flag(help: "Print nothing but errors.")
  var quiet = false

  @Flag(help: "Print the result as one JSON object, and no progress.")
  var json = false

  /// Whether progress and hints are wanted.
  var isTalkative: Bool { !quiet && !json }

  /// Prints a line for people.
  func say(_ line: String) {
    if isTalkative { put(line) }
  }

  /// Unlike `print`, this leaves nothing in a buffer when the program is killed.
  private func put(_ line: String) {
    try? FileHandle.standardOutput.write(contentsOf: Data("\(line)\n".utf8))
  }

  /// Prints a line that warns, whatever is redirected.
  func warn(_ line: String) {
    if !quiet { FileHandle.standardError.write(Data("imgen: \(line)\n".utf8)) }
  }

  /// Prints `value` as JSON when that was asked for.
  func report(_ value: some Encodable) throws {
    guard json else { return }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    encoder.keyEncodingStrategy = .convertToSnakeCase
    put(String(decoding: try encoder.encode(value), as: UTF8.self))
  }
}
