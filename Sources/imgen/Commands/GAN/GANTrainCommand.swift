import ArgumentParser
import Checkpoints
import ComputeCore
import Datasets
import Evaluation
import Foundation
import GAN
import Layers
import Training

/// Trains a GAN on small pictures.
struct GANTrainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train", abstract: "Train a GAN on small pictures and watch it learn.",
    discussion: """
      DATA is fashion-mnist, a folder of MNIST's IDX files, of CIFAR's binary records, of pictures, \
      or of one folder of pictures per class. A stopped run goes on when the same command is given \
      again. Should the game collapse, the run goes back to its last healthy state by itself and \
      on with a lower learning rate.
      """)

  @Argument(help: "fashion-mnist, or a path.")
  var data: String

  @Option(help: "Folder of the run. Default: runs/gan-NAME-OF-DATA.")
  var out: String?

  @Option(help: "Minutes to train for, when --steps is not given.")
  var minutes = 10.0

  @Option(help: "Steps. Default: as many as fit into --minutes.")
  var steps: Int?

  @Option(help: "Width and height of the pictures. Default: those of the data, at most 64.")
  var size: Int?

  @Flag(help: "Leave out the classes that the data has.")
  var unconditional = false

  @Option(help: "Channels of the largest level of the networks, which sets their size.")
  var channels = 64

  @Option(help: "Loss: \(values(AdversarialLoss.self)).")
  var loss = AdversarialLoss.relativistic

  @Option(help: "Penalty on steepness: \(values(GradientPenalty.self)).")
  var penalty = GradientPenalty.r1r2

  @Option(help: "Weight of the penalty at the start. Default: 2, or 10 for wgan-gp.")
  var gamma: Float?

  @Option(help: "Weight of the penalty at the end. Default: a fortieth, for wgan-gp all of it.")
  var finalGamma: Float?

  @Option(help: "How much pictures are to be typical of their class; 0: as they come.")
  var classWeight: Float = 0.1

  @Option(help: "Steps between two penalties, which are weighted by that number.")
  var penaltyEvery = 2

  @Option(help: "Real pictures per step.")
  var batch = 32

  @Option(help: "Learning rate of the discriminator at the start; it falls to a tenth.")
  var learningRate: Float = 1e-3

  @Option(help: "The generator's learning rate as a share of the discriminator's.")
  var generatorRate: Float = 0.6

  @Option(help: "Random shifts and mirrors of what the discriminator sees: auto, on or off.")
  var augment = GANAugmentation.auto

  @Option(help: "A classifier's folder, or a network's file, that judges the pictures.")
  var judge: String?

  @Option(help: "Seed of everything random.")
  var seed: UInt64 = 1

  @Option(help: "Seconds between two sample sheets; 0: none.")
  var sheetEvery = 20.0

  @Option(help: "Seconds between two looks at the quality; 0: none.")
  var qualityEvery = 60.0

  @Option(help: "Seconds between two states on disk.")
  var stateEvery = 60.0

  @OptionGroup var compute: ComputeOptions
  @OptionGroup var console: ConsoleOptions

  func validate() throws {
    try OptionChecks.require("batch", batch, in: 2...4096)
    try OptionChecks.require(steps: steps)
    try OptionChecks.require(minutes: minutes)
    try OptionChecks.require(learningRate: learningRate)
    try OptionChecks.require("generator-rate", generatorRate, in: 0.001...1_000)
    try OptionChecks.require(
      gamma != 0, "--gamma is 0, expected more than that; for no penalty say --penalty none.")
    try OptionChecks.require("gamma", gamma, in: 1e-6...10_000)
    try OptionChecks.require("final-gamma", finalGamma, in: 1e-6...10_000)
    try OptionChecks.require("class-weight", classWeight, in: 0...100)
    try OptionChecks.require("penalty-every", penaltyEvery, in: 1...64)
    try OptionChecks.require("channels", channels, in: 4...1024)
    try OptionChecks.require("size", size, in: 8...256)
    try OptionChecks.require(notNegative: [
      "sheet-every": sheetEvery, "quality-every": qualityEvery, "state-every": stateEvery,
    ])
  }

  func run() throws {
    try compute.run(defaultPrecision: .bfloat16) { try train() }
  }

  private func train() throws {
    let start = Date()
    let set = try pictures()
    let name = URL(filePath: data).standardizedFileURL.lastPathComponent
    let started = try StartedRun(out ?? "runs/gan-\(name)", makeSettings(set), console)
    var session = GANSession(
      folder: started.folder, console: console, settings: started.settings,
      run: try makeRun(set, started.settings, started.state), quality: try makeQuality(set))
    (session.sheetEvery, session.qualityEvery, session.stateEvery) = (
      sheetEvery, qualityEvery, stateEvery
    )
    try session.folder.write(settings: started.settings)
    let networks = session.run.trainer.networks
    console.say(
      "\(started.words) a generator of \(networks.generator.parameterCount / 1000)k and a "
        + "discriminator of \(networks.discriminator.parameterCount / 1000)k parameters on "
        + "\(set.count) pictures of \(set.width)x\(set.height) in \(session.folder.path)")
    try session.drawStart()
    let isFinished = try session.train(minutes: minutes)
    try finish(session, isFinished, seconds: Date().timeIntervalSince(start))
  }

  private func finish(_ session: GANSession, _ isFinished: Bool, seconds: Double) throws {
    let folder = session.folder
    let model = folder.path + "/model"
    if isFinished {
      try session.saveModel(to: model)
      try session.drawEnd()
    }
    try console.report(
      GANReport(
        run: folder.path, model: isFinished ? model : nil, steps: session.run.trainer.step,
        pictures: session.run.trainer.step * session.run.trainer.config.batchSize,
        quality: session.run.history.quality.last?.value,
        qualityName: session.quality?.name, isFinished: isFinished, seconds: seconds))
    guard isFinished else { try console.stopTraining() }
    console.say(
      "The model is in \(model). Try: imgen gan sample \(folder.path) --count 100, or look at "
        + "\(folder.path)/learning.png")
  }

  /// The pictures to learn from, square and of a size the networks take.
  private func pictures() throws -> PictureSet {
    var bar = ProgressBar("Reading pictures", isVisible: console.isTalkative)
    var set = try PictureSet.load(data, size: size) { bar.update($0, of: $1) }
    bar.finish()
    let side = min(set.height, set.width) / 4 * 4
    if size == nil, set.height != set.width || side != set.height || side > 128 {
      set = set.resized(to: min(128, max(8, side)))
    }
    guard set.count >= 2 else {
      throw ValidationError("\(data) holds \(set.count) picture, expected at least 2; add more.")
    }
    if set.count < 500 {
      console.warn("\(set.count) pictures are few: expect copies of them rather than new ones.")
    }
    for reason in set.skipped.prefix(5) { console.warn("left out: \(reason)") }
    return set
  }

  private func makeRun(_ set: PictureSet, _ settings: GANSettings, _ state: TrainingState?) throws
    -> GANRun
  {
    var random = TorchGenerator(seed: stepSeed(seed, 0, .weights))
    let generator = try Generator(settings.network)
    let discriminator = try Discriminator(settings.network)
    generator.initializeForTraining(using: &random)
    discriminator.initializeForTraining(using: &random)
    var trainer = GANTrainer(
      generator, discriminator, on: set, settings.training, startingAfter: state?.step ?? 0)
    if let state {
      try trainer.restore(state)
      return GANRun(trainer, on: set, history: GANHistory(state.series) ?? GANHistory())
    }
    return GANRun(trainer, on: set)
  }

  /// `nil` when no quality is wanted, or when there are too few pictures to measure one.
  private func makeQuality(_ set: PictureSet) throws -> GANQuality? {
    guard qualityEvery > 0 else { return nil }
    guard set.count >= FeatureStatistics.minimumCount else {
      console.warn("\(set.count) pictures are too few to measure quality; none is shown.")
      return nil
    }
    return try GANQuality(set, network: judgeNetwork(set))
  }

  private func judgeNetwork(_ set: PictureSet) throws -> FeatureNetwork {
    guard let judge else { return .pixels(size: set.height, channels: set.channels) }
    return try FeatureSource(judge).network
  }

  private func makeSettings(_ set: PictureSet) -> GANSettings {
    var network = GANConfig()
    (network.sampleSize, network.channels) = (set.height, set.channels)
    network.classNames = unconditional ? [] : set.classNames
    (network.baseChannels, network.maxChannels) = (channels, 4 * channels)
    var training = GANTrainingConfig()
    (training.objective.loss, training.objective.penalty) = (loss, penalty)
    let usual = training.objective
    let start = gamma ?? (penalty == .interpolated ? 10 : usual.gamma)
    let share = penalty == .interpolated ? 1 : usual.finalGamma / usual.gamma
    training.objective.gamma = start
    training.objective.finalGamma = finalGamma ?? start * share
    training.objective.penaltyInterval = penaltyEvery
    training.objective.madeClassWeight = classWeight
    (training.batchSize, training.seed) = (min(batch, set.count), seed)
    (training.learningRate, training.finalLearningRate) = (learningRate, learningRate / 10)
    training.generatorRate = generatorRate
    training.augments = augment == .on || augment == .auto && set.count < 5_000
    return GANSettings(
      data: data, totalSteps: steps, network: network, training: training,
      precision: Compute.current.precision.rawValue)
  }
}

/// When pictures are varied before the discriminator sees them.
enum GANAugmentation: String, CaseIterable, ExpressibleByArgument {
  /// With fewer than 5,000 pictures.
  case auto
  case on
  case off
}

extension AdversarialLoss: ExpressibleByArgument {}
extension GradientPenalty: ExpressibleByArgument {}

/// `a, b or c`.
private func values<E: CaseIterable & RawRepresentable>(_ type: E.Type) -> String
where E.RawValue == String {
  let names = E.allCases.map(\.rawValue)
  return names.dropLast().joined(separator: ", ") + " or " + (names.last ?? "")
}

/// What decides the numbers of a run.
struct GANSettings: RunSettings {
  var data: String
  var totalSteps: Int?
  var network: GANConfig
  var training: GANTrainingConfig
  var precision: String
}

/// `--json` of `imgen gan train`.
private struct GANReport: Encodable {
  let run: String
  let model: String?
  let steps: Int
  let pictures: Int
  let quality: Float?
  let qualityName: String?
  let isFinished: Bool
  let seconds: Double
}
