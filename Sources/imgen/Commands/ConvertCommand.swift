import ArgumentParser
import Checkpoints
import Diffusion
import Foundation
import Pipelines

extension SafetensorsEntry.Precision: ExpressibleByArgument {}
extension ModelConversion.Form: ExpressibleByArgument {}
extension PredictionType: ExpressibleByArgument {}

/// Rewrites a model as a folder or as a single file, or in another precision.
struct ConvertCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "convert", abstract: "Rewrite a model as a folder or a single file.",
    discussion: """
      Example: imgen convert model.ckpt model.safetensors --dtype f16
      Reads diffusers folders, single files with the original names of Stable Diffusion 1 and 2, \
      and other files of weights, which keep their names. Tensors keep every bit unless --dtype \
      says otherwise.
      """)

  @Argument(help: "Model folder, or .safetensors, .ckpt, .pt or .bin file.")
  var input: String

  @Argument(help: "Folder, or file that ends in .safetensors, to make.")
  var output: String

  @Option(help: "diffusers or single-file. Default: single-file for names in .safetensors.")
  var to: ModelConversion.Form?

  @Option(help: "f32, f16 or bf16. Default: every tensor keeps its type.")
  var dtype: SafetensorsEntry.Precision?

  @Option(help: "Tokenizer folder for a folder made of a single file. Default: CLIP's.")
  var tokenizer: String?

  @Option(help: "epsilon or v_prediction, for single files that do not say.")
  var prediction: PredictionType?

  @Flag(help: "Use the averaged weights that some training checkpoints hold.")
  var ema = false

  @Flag(help: "Replace an existing file.")
  var force = false

  @OptionGroup var console: ConsoleOptions

  func run() throws {
    let start = Date()
    try check()
    var conversion = ModelConversion(input: input, output: output)
    conversion.form = to
    conversion.precision = dtype
    conversion.options.tokenizer = tokenizer
    conversion.options.prediction = prediction
    conversion.options.weights = ema ? .average : .trained
    var bar = ProgressBar("Converting", isVisible: console.isTalkative)
    let report = try conversion.run { done, total in
      bar.update(done >> 20, of: total >> 20, note: "MB")
    }
    bar.finish()
    if !report.leftOut.isEmpty {
      console.warn(
        "\(report.leftOut.count) tensors have no place in the new form and are left out: "
          + report.leftOut.prefix(3).joined(separator: ", ")
          + (report.leftOut.count > 3 ? ", …" : ""))
    }
    console.say(output)
    try console.report(
      ConvertReport(
        output: output, form: report.form.rawValue, tensors: report.tensors,
        bytes: report.byteCount, leftOut: report.leftOut,
        seconds: Date().timeIntervalSince(start)))
  }

  private func check() throws {
    let files = FileManager.default
    guard files.fileExists(atPath: input) else {
      throw ValidationError("there is no file or folder \(input).")
    }
    var isFolder: ObjCBool = false
    if files.fileExists(atPath: output, isDirectory: &isFolder) {
      let isSame =
        URL(fileURLWithPath: input).resolvingSymlinksInPath()
        == URL(fileURLWithPath: output).resolvingSymlinksInPath()
      guard !isSame else {
        throw ValidationError("\(output) is what is to be converted. Give another name.")
      }
      guard force, !isFolder.boolValue else {
        throw ValidationError(
          "\(output) exists already. Give another name"
            + (isFolder.boolValue ? "." : ", or --force to replace it."))
      }
    }
    if to != .diffusers, to != nil || output.hasSuffix(".safetensors") {
      try OutputLocation.check(file: output)
    } else {
      try OutputLocation.check(folder: output)
    }
  }
}

/// `--json` of `imgen convert`.
private struct ConvertReport: Encodable {
  let output: String
  let form: String
  let tensors: Int
  let bytes: Int
  let leftOut: [String]
  let seconds: Double
}
