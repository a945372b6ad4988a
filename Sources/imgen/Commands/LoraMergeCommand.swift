import ArgumentParser
import ComputeCore
import LoRA

/// Makes one LoRA file of several, or adds them to a model.
struct LoraMergeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "merge", abstract: "Make one LoRA file of several, or add them to a model.",
    discussion: """
      Without a limit of the ranks these add up, and the new file does exactly what all do together. \
      With --into a new model folder is written instead, which needs no LoRA any more.
      """)

  @Argument(
    help: "LoRA files, each with its weight: style.safetensors:0.8 or style.safetensors:1:te=0.5.",
    transform: LoRAArgument.init(parsing:))
  var files: [LoRAArgument]

  @Option(help: "File to write; with --into the new model folder.")
  var out: String

  @Option(help: "Model folder, or the name of one in checkpoints/, that the files are added to.")
  var into: String?

  @Flag(help: "With --into: warn of tensors that the model has no place for, instead of failing.")
  var allowUnmatched = false

  @OptionGroup var ranks: RankOptions

  @Option(help: "Store the matrices as f32, f16 or bf16. Default: as in the files.")
  var precision: LoRAPrecision?

  @Option(help: "Threads to use. Default: one per processor. Results do not depend on it.")
  var threads: Int?

  @OptionGroup var console: ConsoleOptions

  func validate() throws {
    if files.isEmpty { throw ValidationError("expected at least one LoRA file.") }
    if let threads, !(1...1024).contains(threads) {
      throw ValidationError("--threads is \(threads), expected 1 to 1024.")
    }
    if into != nil, try ranks.limits() != nil || precision != nil {
      throw ValidationError("--into keeps the types of the model: leave out ranks and precision.")
    }
    if into == nil, allowUnmatched {
      throw ValidationError("--allow-unmatched is for --into.")
    }
  }

  func run() throws {
    let sources = try files.map { argument in
      WeightedLoRA(
        try LoRAFile(argument.path), weight: argument.weight, textWeight: argument.textWeight)
    }
    try Compute.with {
      if let threads { $0.threads = threads }
    } _: {
      if let into { try merge(sources, into: into) } else { try merge(sources) }
    }
  }

  private func merge(_ sources: [WeightedLoRA]) throws {
    try OutputLocation.check(file: out)
    var bar = ProgressBar("merging", isVisible: console.isTalkative)
    let report = RankReport(
      adapters: try LoRAWriter.merge(
        sources, to: out, limits: try ranks.limits(), precision: precision?.precision
      ) { bar.update($0, of: $1) })
    bar.finish()
    for line in report.lines { console.say(line) }
    console.say("\(out): \(sources.count) files in one")
    try console.report(Report(out: out, adapters: report.rows))
  }

  private func merge(_ sources: [WeightedLoRA], into model: String) throws {
    try OutputLocation.check(folder: out)
    var merging = try ModelMerging(try ModelLocation.folder(model))
    for source in sources { try merging.add(source, allowsUnmatched: allowUnmatched) }
    var bar = ProgressBar("merging", isVisible: console.isTalkative)
    let result = try merging.write(to: out) { bar.update($0, of: $1) }
    bar.finish()
    for key in result.unmatchedKeys { console.warn("\(key) has no place in the model") }
    console.say("\(out): \(result.changedCount) tensors of the model changed")
    try console.report(
      ModelReport(out: out, changed: result.changedCount, unmatched: result.unmatchedKeys))
  }

  /// `--json`.
  private struct Report: Encodable {
    let out: String
    let adapters: [RankReport.Row]
  }

  /// `--json` with `--into`.
  private struct ModelReport: Encodable {
    let out: String
    let changed: Int
    let unmatched: [String]
  }
}
