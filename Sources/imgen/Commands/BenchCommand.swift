import ArgumentParser
import Checkpoints
import ComputeCore
import Diffusion
import Foundation
import Layers
import Models
import Pipelines
import Training

/// Times training steps on random data.
struct BenchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench", abstract: "Time training steps of a model on random data.")

  @Option(help: "Model folder, or the name of one in checkpoints/.")
  var model: String?

  @Option(help: "Pictures per step.")
  var batch = 32

  @Option(help: "Steps to time, after two that warm up.")
  var steps = 10

  @OptionGroup var compute: ComputeOptions
  @OptionGroup var console: ConsoleOptions

  func validate() throws {
    guard (1...4096).contains(batch) else {
      throw ValidationError("--batch is \(batch), expected 1 to 4096.")
    }
    guard (1...100_000).contains(steps) else {
      throw ValidationError("--steps is \(steps), expected 1 to 100000.")
    }
  }

  func run() throws {
    let folder = try ModelLocation.folder(model)
    let unet = try UNet2DConditionModel(
      UNet2DConditionModel.loadConfig(folder: folder + "/unet"))
    var generator = TorchGenerator(seed: 1)
    unet.initialize(using: &generator)
    let size = unet.config.sampleSize?.first ?? 64
    let batch = DiffusionBatch(
      latents: Tensor.randn([self.batch, size, size, unet.config.inChannels], using: &generator),
      conditioning: Conditioning(
        states: Tensor.randn(
          [self.batch, 20, unet.config.crossAttentionDim], using: &generator), mask: nil))
    var config = AdamW.Config()
    config.maxGradientNorm = 1
    let optimizer = AdamW(
      unet.namedParameters().map { (key: $0.key, parameter: $0.parameter) }, config)
    var scheduler = SchedulerConfig()
    scheduler.predictionType = .sample
    let trainer = DiffusionTrainer(
      unet, try DiffusionObjective(scheduler, .minSNR), RepeatedBatch(batch: batch), optimizer,
      WarmupCosine(peak: 1e-4, warmup: 1, total: steps + 2), seed: 1)
    console.say("\(unet.parameterCount) parameters")
    var seconds: [Double] = []
    compute.run(defaultPrecision: .bfloat16) {
      var last = Date()
      for _ in trainer {
        let now = Date()
        seconds.append(now.timeIntervalSince(last))
        last = now
      }
    }
    let timed = seconds.dropFirst(2).sorted()
    let median = timed[timed.count / 2]
    console.say(
      "median step \(Int(median * 1000)) ms, \(Int(Double(self.batch) / median)) pictures/s")
    try console.report(
      BenchReport(
        parameters: unet.parameterCount, batch: self.batch, medianSecondsPerStep: median,
        picturesPerSecond: Double(self.batch) / median))
  }
}

/// `--json` of `imgen bench`.
private struct BenchReport: Encodable {
  let parameters: Int
  let batch: Int
  let medianSecondsPerStep: Double
  let picturesPerSecond: Double
}

/// The same batch in every step.
private struct RepeatedBatch: DiffusionBatches {
  let batch: DiffusionBatch

  func batch(_ index: Int) -> DiffusionBatch { batch }
}
