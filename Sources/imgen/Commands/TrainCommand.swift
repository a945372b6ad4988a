import ArgumentParser
import Checkpoints
import ComputeCore
import Datasets
import Diffusion
import Foundation
import ImageIO
import Layers
import Models
import Pipelines
import Training

/// Trains the denoiser of a text-to-image model on a captioned folder.
struct TrainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train",
    abstract: "Train a text-to-image model on a folder of captioned pictures.",
    discussion: """
      Captions come from metadata.jsonl, from .txt files beside the pictures, or from file names. \
      A stopped run goes on when the same command is given again.
      """)

  @Argument(help: "Folder with the pictures.")
  var data: String

  @Option(help: "Model folder to start from, or the name of one in checkpoints/.")
  var model: String?

  @Flag(help: "Train the U-Net from random weights; the rest of the model is used as it is.")
  var fromScratch = false

  @Option(help: "Folder of the run. Default: runs/NAME-OF-DATA.")
  var out: String?

  @Option(help: "Optimizer steps. Default: as many as fit into --minutes.")
  var steps: Int?

  @Option(help: "Minutes to train for, when --steps is not given.")
  var minutes: Double = 120

  @Option(help: "Pictures per batch.")
  var batch = 32

  @Option(help: "Batches per optimizer step.")
  var accumulation = 1

  @Option(help: "Highest learning rate.")
  var learningRate: Float = 6e-4

  @Option(help: "Steps until the learning rate is highest.")
  var warmup = 300

  @Option(help: "Width and height to train at. Default: the model's.")
  var size: Int?

  @Option(help: "Share of captions left out, so that guidance works.")
  var captionDropout = 0.1

  @Option(help: "Loss weighting: constant, min-snr or min-velocity-snr.")
  var weighting = LossWeighting.minVelocitySNR

  @Flag(inversion: .prefixedNo, help: "Mirror half of the pictures.")
  var flips = true

  @Option(help: "Seed of everything random.")
  var seed: UInt64 = 1

  @Option(help: "Seconds between two states on disk.")
  var stateEvery = 180.0

  @Option(help: "Seconds between two sample sheets; 0: none.")
  var sheetEvery = 300.0

  @Option(parsing: .upToNextOption, help: "Prompts of the sample sheets. Default: some captions.")
  var prompts: [String] = []

  @OptionGroup var compute: ComputeOptions
  @OptionGroup var console: ConsoleOptions

  func validate() throws {
    try OptionChecks.require("batch", batch, in: 1...4096)
    try OptionChecks.require("accumulation", accumulation, in: 1...1024)
    try OptionChecks.require(steps: steps)
    try OptionChecks.require(minutes: minutes)
    try OptionChecks.require(learningRate: learningRate)
    try OptionChecks.require(notNegative: ["warmup": warmup])
    try OptionChecks.require("caption-dropout", captionDropout, in: 0...1)
    try OptionChecks.require(notNegative: ["state-every": stateEvery, "sheet-every": sheetEvery])
    try OptionChecks.require(prompts.count <= 64, "give at most 64 prompts.")
  }

  func run() throws {
    try compute.run(defaultPrecision: .bfloat16) { try train() }
  }

  private func train() throws {
    let start = Date()
    let modelFolder = try ModelLocation.folder(model)
    let folder = try CaptionedFolder(data)
    let name = URL(filePath: data).standardizedFileURL.lastPathComponent
    let pipeline = try loadPipeline(modelFolder)
    try pipeline.check(side: size ?? pipeline.defaults.width, "size to train at")
    let unet = pipeline.unet
    let run = try StartedRun(out ?? "runs/\(name)", makeSettings(modelFolder), console)

    var config = CaptionedBatches.Config()
    config.batchSize = batch
    config.size = size ?? pipeline.defaults.width
    config.captionDropout = captionDropout
    config.flips = flips
    var bar = ProgressBar("Preparing", isVisible: console.isTalkative)
    let batches = try CaptionedBatches(
      folder, conditioner: pipeline.conditioner, codec: pipeline.codec, config, seed: seed
    ) { title, done, total in bar.update(done, of: total, note: title) }
    bar.finish()

    let optimizer = AdamW(unet.namedParameters().filter { !$0.parameter.isFrozen }, AdamW.Config())
    try run.state?.restore(optimizer)
    let trainer = DiffusionTrainer(
      unet, try DiffusionObjective(pipeline.scheduler, weighting), batches, optimizer,
      WarmupCosine(peak: learningRate, warmup: warmup, total: run.settings.totalSteps ?? .max),
      accumulation: accumulation, seed: seed, startingAfter: run.state?.step ?? 0)
    let path = run.folder.path
    console.say(
      "\(run.words) \(unet.parameterCount / 1000)k parameters on \(batches.count) pictures in "
        + path)
    try run.folder.write(settings: run.settings)

    var session = DiffusionSession(
      folder: run.folder, console: console, settings: run.settings, trainer: trainer,
      losses: run.state?.losses ?? [], stateEverySeconds: stateEvery,
      sheetEverySeconds: sheetEvery
    ) { try sheet(pipeline, folder, optimizer) }
    let isFinished = try session.train(minutes: minutes)
    let result = path + "/model"
    func report() throws {
      try console.report(
        TrainReport(
          run: path, model: isFinished ? result : nil, steps: session.step,
          loss: session.losses.last, isFinished: isFinished,
          seconds: Date().timeIntervalSince(start)))
    }
    guard isFinished else {
      try report()
      try console.stopTraining()
    }
    try optimizer.withAverages { try pipeline.save(folder: result, copyingFrom: modelFolder) }
    console.say("The model is in \(result). Try: imgen sample \"a red apple\" --model \(result)")
    try report()
  }

  private func loadPipeline(_ folder: String) throws -> TextToImagePipeline {
    try TextToImagePipeline.checkParts(of: folder)
    return try TextToImagePipeline.assembled(
      from: folder, unet: loadUNet(folder), codec: TextToImagePipeline.loadCodec(folder + "/vae"),
      conditioner: TextToImagePipeline.loadConditioner(folder))
  }

  private func loadUNet(_ modelFolder: String) throws -> UNet2DConditionModel {
    guard fromScratch else { return try UNet2DConditionModel.load(folder: modelFolder + "/unet") }
    let unet = try UNet2DConditionModel(
      UNet2DConditionModel.loadConfig(folder: modelFolder + "/unet"))
    var generator = TorchGenerator(seed: stepSeed(seed, 0, .weights))
    unet.initialize(using: &generator)
    return unet
  }

  private func makeSettings(_ modelFolder: String) -> TrainSettings {
    TrainSettings(
      data: data, model: modelFolder, fromScratch: fromScratch, totalSteps: steps, batch: batch,
      accumulation: accumulation, learningRate: learningRate, warmup: warmup, size: size,
      captionDropout: captionDropout, weighting: weighting, flips: flips, seed: seed,
      precision: (compute.precision ?? .bfloat16).rawValue)
  }

  private func sheet(
    _ pipeline: TextToImagePipeline, _ folder: CaptionedFolder, _ optimizer: AdamW
  ) throws -> (pictures: [Image], prompts: [String]) {
    let stride = max(1, folder.pictures.count / 8)
    let chosen =
      prompts.isEmpty
      ? (0..<8).map { folder.pictures[$0 * stride % folder.pictures.count].caption }
      : prompts
    let request = try GenerationRequest(
      prompts: chosen, seeds: chosen.indices.map(UInt64.init), pipeline.defaults)
    return (try optimizer.withAverages { try pipeline.generate(request) }, chosen)
  }
}

/// `--json` of `imgen train`.
private struct TrainReport: Encodable {
  let run: String
  let model: String?
  let steps: Int
  let loss: Float?
  let isFinished: Bool
  let seconds: Double
}

extension LossWeighting: ExpressibleByArgument {}

/// What decides the numbers of a run, kept so that it goes on as it began.
struct TrainSettings: RunSettings {
  var data: String
  var model: String
  var fromScratch: Bool
  var totalSteps: Int?
  var batch: Int
  var accumulation: Int
  var learningRate: Float
  var warmup: Int
  var size: Int?
  var captionDropout: Double
  var weighting: LossWeighting
  var flips: Bool
  var seed: UInt64
  /// Missing in runs of earlier versions.
  var precision: String?

  /// Older runs have no precision.
  func completed(by stored: TrainSettings) -> TrainSettings {
    var settings = self
    if stored.precision == nil { settings.precision = nil }
    return settings
  }
}
