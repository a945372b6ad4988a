import ArgumentParser

/// The command line: one subcommand per file.
@main
struct Imgen: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "imgen", abstract: "Make pictures from words, and teach it your style.",
    version: version,
    subcommands: [
      SampleCommand.self, VerifyCommand.self, TrainStyleCommand.self, TrainCommand.self,
      GANCommand.self, ClassifyCommand.self, EvaluateCommand.self, InfoCommand.self,
      ConvertCommand.self, LoraCommand.self, BenchCommand.self, DenoiseCommand.self,
    ])

  /// Version of this program, as pictures name it.
  static let version = "imgen-0.1.0"
}
