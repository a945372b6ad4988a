import ArgumentParser
import ComputeCore
import LoRA

/// Lowers the ranks of a LoRA file.
struct LoraResizeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "resize", abstract: "Lower the ranks of a LoRA file, and say what is kept.",
    discussion: """
      Every adapter is replaced by the closest one of its new rank, found by singular values: \
      --rank everywhere, or as many as one of the --sv options asks for, at most --rank.
      """)

  @Argument(help: "LoRA file.")
  var path: String

  @Option(help: "File to write.")
  var out: String

  @OptionGroup var ranks: RankOptions

  @Option(help: "Store the matrices as f32, f16 or bf16. Default: as they are.")
  var precision: LoRAPrecision?

  @Option(help: "Threads to use. Default: one per processor. Results do not depend on it.")
  var threads: Int?

  @OptionGroup var console: ConsoleOptions

  func validate() throws {
    guard try ranks.limits() != nil else {
      throw ValidationError("expected --rank, --sv-ratio, --sv-fro or --sv-cumulative.")
    }
    if let threads, !(1...1024).contains(threads) {
      throw ValidationError("--threads is \(threads), expected 1 to 1024.")
    }
  }

  func run() throws {
    try OutputLocation.check(file: out)
    guard let limits = try ranks.limits() else { return }
    let file = try LoRAFile(path)
    var bar = ProgressBar("resizing", isVisible: console.isTalkative)
    let adapters = try Compute.with {
      if let threads { $0.threads = threads }
    } _: {
      try file.resize(to: out, limits: limits, precision: precision?.precision) {
        bar.update($0, of: $1)
      }
    }
    bar.finish()
    let report = RankReport(adapters: adapters)
    for line in report.lines { console.say(line) }
    console.say("written to \(out)")
    try console.report(Report(out: out, adapters: report.rows))
  }

  /// `--json`.
  private struct Report: Encodable {
    let out: String
    let adapters: [RankReport.Row]
  }
}
