import ArgumentParser
import Checkpoints
import LoRA

/// Says what is in a LoRA file.
struct LoraInfoCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "info",
    abstract: "Say how a LoRA file is made: dialect, form, ranks, layers, training.")

  @Argument(help: "LoRA file.")
  var path: String

  @OptionGroup var console: ConsoleOptions

  func run() throws {
    let summary = try LoRAFile.inspect(path)
    console.say(summary.description)
    try console.report(
      Report(
        path: path, dialect: summary.dialect.rawValue, form: summary.formNames,
        ranks: summary.ranks, alphas: summary.alphas,
        modules: summary.modules.map {
          .init(component: $0.component.rawValue, kind: $0.kind, count: $0.count)
        }, parameters: summary.parameterCount, storedAs: summary.dtypes.map(\.rawValue),
        title: summary.title, baseModel: summary.baseModel, hashIsValid: summary.isHashValid,
        metadata: summary.metadata))
  }

  /// `--json`.
  private struct Report: Encodable {
    struct Modules: Encodable {
      let component: String
      let kind: String
      let count: Int
    }

    let path: String
    let dialect: String
    let form: String
    let ranks: [Int]
    let alphas: [Float]
    let modules: [Modules]
    let parameters: Int
    let storedAs: [String]
    let title: String?
    let baseModel: String?
    let hashIsValid: Bool?
    let metadata: [String: String]
  }
}
