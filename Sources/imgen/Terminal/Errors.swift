import ArgumentParser
import Foundation

extension Imgen {
  /// Runs the command line; an error becomes one line on standard error, without the usage text
  /// that the argument parser would print around it.
  static func main() {
    do {
      var command = try parseAsRoot()
      defer { ProfileReport.finish() }
      try command.run()
    } catch {
      let code = exitCode(for: error)
      if code.isSuccess { exit(withError: error) }
      report(error)
      Foundation.exit(code.rawValue)
    }
  }

  /// Prints an error as one line, unless it is a mere exit code; returns it without its mark.
  @discardableResult
  static func report(_ error: any Error) -> String {
    let text = oneLine(message(for: error))
    guard !text.isEmpty else { return text }
    let line = "Error: \(text)\(hint(for: error, exitCode(for: error)))\n"
    try? FileHandle.standardError.write(contentsOf: Data(line.utf8))
    return text
  }

  /// Where to look after arguments that could not be read.
  private static func hint(for error: any Error, _ code: ExitCode) -> String {
    guard code == .validationFailure, !(error is ValidationError) else { return "" }
    let names = configuration.subcommands.compactMap { $0.configuration.commandName }
    let command = CommandLine.arguments.dropFirst().first { names.contains($0) }
    return " See 'imgen \(command.map { $0 + " " } ?? "")--help'."
  }

  /// The lines after the first one in brackets, at most five of them; ends with a mark.
  private static func oneLine(_ text: String) -> String {
    let lines = text.split(whereSeparator: \.isNewline).map {
      $0.trimmingCharacters(in: .whitespaces)
    }
    guard let first = lines.first else { return "" }
    let rest = lines.dropFirst()
    let shown = rest.prefix(5).joined(separator: "; ") + (rest.count > 5 ? "; …" : "")
    let line = rest.isEmpty ? first : "\(first) (\(shown))"
    return line.last.map { ".?!".contains($0) } == true ? line : line + "."
  }
}
