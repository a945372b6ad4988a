import ArgumentParser
import Checkpoints
import ComputeCore
import Foundation
import LoRA
import Models

/// Everything that can be done with LoRA files without drawing a picture.
struct LoraCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "lora", abstract: "Describe, convert, merge and resize LoRA files.",
    subcommands: [
      LoraInfoCommand.self, LoraConvertCommand.self, LoraMergeCommand.self, LoraResizeCommand.self,
    ])
}

/// How the matrices of a new LoRA file are stored.
enum LoRAPrecision: String, ExpressibleByArgument, CaseIterable {
  case f32, f16, bf16

  var precision: SafetensorsEntry.Precision {
    switch self {
    case .f32: .f32
    case .f16: .f16
    case .bf16: .bf16
    }
  }
}

/// `--rank` and what goes with it.
struct RankOptions: ParsableArguments {
  @Option(help: "The most a rank may be.")
  var rank: Int?

  @Option(help: "The same for convolutions larger than 1x1. Default: --rank.")
  var convRank: Int?

  @Option(help: "Keep singular values above the largest one divided by this.")
  var svRatio: Double?

  @Option(help: "Keep as few singular values as make up this share of the Frobenius norm.")
  var svFro: Double?

  @Option(help: "Keep as few singular values as make up this share of their sum.")
  var svCumulative: Double?

  /// The limits that were asked for; `nil` when there are none.
  func limits() throws -> RankLimits? {
    var rules: [RankRule] = []
    if let svRatio { rules.append(.ratio(svRatio)) }
    if let svFro { rules.append(.frobenius(svFro)) }
    if let svCumulative { rules.append(.cumulative(svCumulative)) }
    guard rules.count < 2 else {
      throw ValidationError("give one of --sv-ratio, --sv-fro and --sv-cumulative.")
    }
    guard rank != nil || convRank != nil || !rules.isEmpty else { return nil }
    guard rank != nil || !rules.isEmpty else {
      throw ValidationError("--conv-rank needs --rank.")
    }
    do throws(LoRAError) {
      return try RankLimits(
        rank: rank ?? 4096, convolutionRank: convRank, rule: rules.first ?? .fixed)
    } catch { throw ValidationError(error.description) }
  }
}

/// What is left of adapters whose ranks were lowered, for people and programs.
struct RankReport {
  let adapters: [ResizedAdapter]

  /// `--json`: one object per adapter.
  struct Row: Encodable {
    let name: String
    let oldRank: Int
    let newRank: Int
    let sumKept: Double
    let normKept: Double
  }

  var rows: [Row] {
    adapters.map {
      Row(
        name: $0.name, oldRank: $0.oldRank, newRank: $0.newRank, sumKept: $0.sumKept,
        normKept: $0.normKept)
    }
  }

  /// A line for each adapter, and one for all.
  var lines: [String] {
    guard !adapters.isEmpty else { return [] }
    let table = TextTable(columns: [
      .init(title: "layer", width: 72, isNumber: false), .init(title: "rank", width: 10),
      .init(title: "sum kept", width: 8), .init(title: "norm kept", width: 9),
    ])
    func percent(_ share: Double) -> String { String(format: "%.2f%%", 100 * share) }
    let lines = adapters.map {
      table.line([
        $0.name, "\($0.oldRank) -> \($0.newRank)", percent($0.sumKept), percent($0.normKept),
      ])
    }
    let count = Double(adapters.count)
    let ranks = adapters.reduce(0) { $0 + Double($1.newRank) } / count
    let mean = table.line([
      "mean of \(adapters.count)", String(format: "-> %.1f", ranks),
      percent(adapters.reduce(0) { $0 + $1.sumKept } / count),
      percent(adapters.reduce(0) { $0 + $1.normKept } / count),
    ])
    return [table.header] + lines + [mean]
  }
}

/// Names of layers that flattened names of files are looked up in: those of a model folder, or of
/// Stable Diffusion 1.x and 2.x.
func layerNames(model: String?) throws -> LoRALayerNames {
  if let model { return try ModelMerging(try ModelLocation.folder(model)).layerNames }
  var text = CLIPTextConfig()
  text.numHiddenLayers = 24
  do throws(ConfigError) {
    return LoRALayerNames([
      .unet: try UNet2DConditionModel(UNetConfig()), .textEncoder: try CLIPTextModel(text),
    ])
  } catch {
    throw ValidationError("\(error.key) is \(error.found), expected \(error.expected).")
  }
}
