import ArgumentParser
import ComputeCore
import Datasets
import Diffusion
import Foundation
import ImageIO
import Layers
import LoRA
import Models
import Pipelines
import Training

/// Trains a LoRA on a folder of photos.
struct TrainStyleCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train-style", abstract: "Teach a model the style of your photos.",
    discussion: """
      Example: imgen train-style ./my-photos
      Writes NAME.safetensors, a LoRA in kohya's format, and a sheet that compares pictures without \
      and with it. Your photos are never changed.
      """)

  @Argument(help: "Folder with photos, a few dozen or more.")
  var photos: String

  @Option(help: "Model folder, or the name of one in checkpoints/.")
  var model: String?

  @Option(help: "LoRA file to write. Default: NAME-OF-FOLDER.safetensors.")
  var out: String?

  @Option(help: "The most steps to train; fewer when it starts to learn by heart.")
  var steps = 600

  @Option(help: "Rank of the LoRA: how much it can learn.")
  var rank = 16

  @Option(help: "Highest learning rate.")
  var learningRate: Float = 1e-3

  @Option(help: "Photos per step.")
  var batch = 16

  @Option(help: "Seed of everything random.")
  var seed: UInt64 = 1

  @Option(
    parsing: .upToNextOption, help: "Prompts of the sheet that compares without and with the LoRA.")
  var prompts = ["a red apple", "a green tree", "a house", "a dog"]

  @OptionGroup var compute: ComputeOptions
  @OptionGroup var console: ConsoleOptions

  func validate() throws {
    try OptionChecks.require(steps: steps)
    try OptionChecks.require("rank", rank, in: 1...256)
    try OptionChecks.require("batch", batch, in: 1...256)
    try OptionChecks.require(learningRate: learningRate)
    try OptionChecks.require(prompts.count <= 16, "give at most 16 prompts.")
    if let out, !out.hasSuffix(".safetensors") {
      throw ValidationError("--out is \(out), expected a name that ends in .safetensors.")
    }
  }

  func run() throws {
    try compute.run(defaultPrecision: .bfloat16) { try train() }
  }

  private func train() throws {
    let start = Date()
    try OutputLocation.check(file: out ?? name + ".safetensors")
    let pipeline = try TextToImagePipeline.load(folder: ModelLocation.folder(model))
    let size = pipeline.defaults.width
    try pipeline.check(side: size, "model's width")
    let pictures = try checkedPictures(size: size)
    let held = max(1, pictures.count / 8)
    let isHeldOut = heldOut(held, of: pictures.count)
    var bar = ProgressBar("Preparing", isVisible: console.isTalkative)
    let batches = try StyleBatches(
      pictures.indices.filter { !isHeldOut.contains($0) }.map { pictures[$0] }, size: size,
      batchSize: batch, conditioner: pipeline.conditioner, codec: pipeline.codec, seed: seed
    ) { done, total in bar.update(done, of: total) }
    let unseen = try StyleBatches(
      isHeldOut.sorted().map { pictures[$0] }, size: size, batchSize: batch,
      conditioner: pipeline.conditioner, codec: pipeline.codec, seed: 1)
    bar.finish()

    let before = try draw(pipeline)
    var generator = TorchGenerator(seed: stepSeed(seed, 0, .weights))
    let network = try LoRANetwork.attach(
      to: pipeline.unet, rank: rank, alpha: Float(rank), targets: .all, using: &generator)
    let result = try fit(pipeline, network, batches, unseen)
    let path = out ?? name + ".safetensors"
    try makeFolder((path as NSString).deletingLastPathComponent)
    try LoRAWriter.write([network], to: path, metadata: metadata(pipeline, pictures.count, result))
    let sheet = String(path.dropLast(".safetensors".count)) + ".png"
    try comparison(before, try draw(pipeline)).writePNG(to: sheet)
    console.say("\(path): \(result.reason), in \(duration(Date().timeIntervalSince(start)))")
    console.say("\(sheet): pictures without (above) and with the style (below)")
    console.say("Try: imgen sample \"a red apple\" --lora \(path)")
    try console.report(
      StyleReport(
        lora: path, sheet: sheet, steps: result.steps, bestStep: result.bestStep,
        lossBefore: result.firstLoss, lossAfter: result.bestLoss, photos: pictures.count,
        seconds: Date().timeIntervalSince(start)))
  }

  private var name: String { URL(filePath: photos).standardizedFileURL.lastPathComponent }

  /// Photos that the check-up kept, with what their names and side files say about them.
  private func checkedPictures(size: Int) throws -> [CaptionedPicture] {
    var bar = ProgressBar("Looking at photos", isVisible: console.isTalkative)
    let report = try PhotoCheckUp(trainingSide: size).check(photos) { done, total in
      bar.update(done, of: total)
    }
    bar.finish()
    for line in report.lines() { console.say(line) }
    return try CaptionedFolder(photos).pictures(keptBy: report)
  }

  /// `held` of `count` indices, spread evenly.
  private func heldOut(_ held: Int, of count: Int) -> Set<Int> {
    Set((0..<held).map { ($0 * 2 + 1) * count / (2 * held) })
  }

  private struct Fit {
    var steps: Int
    var bestStep: Int
    var firstLoss: Float
    var bestLoss: Float
    var reason: String
  }

  /// Trains until the loss on unseen photos no longer falls, and keeps the best adapter.
  private func fit(
    _ pipeline: TextToImagePipeline, _ network: LoRANetwork, _ batches: StyleBatches,
    _ unseen: StyleBatches
  ) throws -> Fit {
    let objective = try DiffusionObjective(pipeline.scheduler, .minVelocitySNR)
    var config = AdamW.Config()
    config.emaDecay = nil
    let optimizer = AdamW(network.namedParameters, config)
    var trainer = DiffusionTrainer(
      pipeline.unet, objective, batches, optimizer,
      WarmupCosine(peak: learningRate, warmup: min(50, steps / 10), total: steps), seed: seed)
    var validation = StyleValidation(unseen, objective, batchCount: 8)
    _ = validation.measure(pipeline.unet, step: 0)
    var best = network.parameters.map { $0.value.detached() }
    let interruption = Interruption()
    var bar = ProgressBar("Learning the style", isVisible: console.isTalkative)
    var reason = "trained for \(steps) steps"
    let interval = max(1, min(50, steps / 4))
    while let step = trainer.next() {
      guard step.loss.isFinite else { throw TrainingError.diverged(step: step.index) }
      let loss = validation.history.last?.loss ?? 0
      bar.update(step.index, of: steps, note: String(format: "loss on unseen photos %.4f", loss))
      if step.index % interval == 0 || step.index == steps {
        if validation.measure(pipeline.unet, step: step.index) {
          best = network.parameters.map { $0.value.detached() }
        }
      }
      if validation.hasStalled(patience: 4) {
        reason =
          "stopped after \(step.index) steps, when unseen photos were no longer learnt better"
        break
      }
      if interruption.isRequested {
        reason = "stopped by you after \(step.index) steps"
        break
      }
    }
    bar.finish()
    for (parameter, value) in zip(network.parameters, best) { parameter.value = value }
    return Fit(
      steps: trainer.step, bestStep: validation.bestStep,
      firstLoss: validation.history[0].loss, bestLoss: validation.bestLoss, reason: reason)
  }

  private func draw(_ pipeline: TextToImagePipeline) throws -> [Image] {
    guard !prompts.isEmpty else { return [] }
    let request = try GenerationRequest(
      prompts: prompts, seeds: prompts.indices.map { UInt64($0) + 1 }, pipeline.defaults)
    return try pipeline.generate(request)
  }

  private func comparison(_ before: [Image], _ after: [Image]) -> Image {
    let scale = max(1, 128 / max(1, before.first?.width ?? 128))
    return contactSheet(
      (before + after).map { $0.resized(to: $0.width * scale, $0.height * scale) },
      columns: max(1, before.count))
  }

  private func metadata(_ pipeline: TextToImagePipeline, _ photoCount: Int, _ result: Fit)
    -> LoRAMetadata
  {
    var metadata = LoRAMetadata()
    metadata.title = name
    metadata.baseModelName = pipeline.name
    metadata.resolution = (pipeline.defaults.width, pipeline.defaults.height)
    metadata.date = Date()
    var training = LoRATrainingRecord()
    training.learningRate = Double(learningRate)
    training.unetLearningRate = Double(learningRate)
    training.learningRateScheduler = "cosine_with_warmup"
    training.optimizer = "AdamW"
    training.trainImages = photoCount
    training.steps = result.bestStep
    training.maxTrainSteps = steps
    training.batchSize = batch
    training.mixedPrecision = (compute.precision ?? .bfloat16) == .bfloat16 ? "bf16" : "no"
    training.seed = seed
    metadata.training = training
    return metadata
  }
}

/// `--json` of `imgen train-style`.
private struct StyleReport: Encodable {
  let lora: String
  let sheet: String
  let steps: Int
  let bestStep: Int
  let lossBefore: Float
  let lossAfter: Float
  let photos: Int
  let seconds: Double
}
