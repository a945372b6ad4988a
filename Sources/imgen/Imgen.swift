import ArgumentParser

/// The command line: one subcommand per file.
@main
struct Imgen: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "imgen", abstract: "Make pictures from words, and teach it your style.",
    subcommands: [TrainCommand.self, BenchCommand.self])
}
