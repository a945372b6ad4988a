import ArgumentParser
import Checkpoints
import LoRA

extension LoRAWriter.Dialect: ExpressibleByArgument {}

/// Writes a LoRA file under the names of another program.
struct LoraConvertCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "convert", abstract: "Write a LoRA file under the names of another program.",
    discussion: """
      Without --precision no number is changed. 'peft' writes the tensors and adapter_config.json \
      into the folder of --out.
      """)

  @Argument(help: "LoRA file.")
  var path: String

  @Option(help: "kohya, diffusers or peft.")
  var to: LoRAWriter.Dialect

  @Option(help: "File to write.")
  var out: String

  @Option(help: "Store the matrices as f32, f16 or bf16. Default: as they are.")
  var precision: LoRAPrecision?

  @Option(help: "Model folder with the layers' names. Default: those of Stable Diffusion 1 and 2.")
  var model: String?

  @OptionGroup var console: ConsoleOptions

  func run() throws {
    try OutputLocation.check(file: out)
    let file = try LoRAFile(path)
    let count = try file.convert(
      to: out, as: to, names: try layerNames(model: model), precision: precision?.precision)
    console.say("\(out): \(count) adapters from \(file.dialect.rawValue) to \(to.rawValue)")
    try console.report(
      Report(file: out, adapters: count, from: file.dialect.rawValue, to: to.rawValue))
  }

  /// `--json`.
  private struct Report: Encodable {
    let file: String
    let adapters: Int
    let from: String
    let to: String
  }
}
