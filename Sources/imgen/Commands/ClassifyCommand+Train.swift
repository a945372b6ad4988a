import ArgumentParser
import Checkpoints
import ComputeCore
import Datasets
import Evaluation
import Foundation
import ImageIO
import Layers
import Training

/// Trains a classifier.
struct ClassifyTrainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train", abstract: "Train a classifier on pictures of known classes.",
    discussion: """
      Example: imgen classify train fashion-mnist --out runs/fashion-cnn
      A stopped run goes on when the same command is given again.
      """)

  @Argument(help: "fashion-mnist, or a folder of IDX files, CIFAR records or class folders.")
  var data: String

  @Option(help: "Folder of the run and of the classifier. Default: runs/classify-NAME-OF-DATA.")
  var out: String?

  @Option(help: "What figures are named after. Default: the name of the folder.")
  var name: String?

  @Option(help: "How often each picture is seen, when --minutes is not given.")
  var epochs = 6.0

  @Option(help: "Minutes to train for.")
  var minutes: Double?

  @Option(help: "Data to test on. Default: those that the data themselves hold out.")
  var testOn: String?

  @Option(help: "Pictures per step.")
  var batch = 128

  @Option(help: "Highest learning rate.")
  var learningRate: Float = 2e-3

  @Option(help: "Height and width to bring pictures to. Default: that of the data.")
  var size: Int?

  @Option(help: "Channels of the first block, doubled from block to block.")
  var width = 32

  @Option(help: "Pixels that pictures are moved by at random. Default: a fourteenth of their size.")
  var shift: Int?

  @Flag(
    inversion: .prefixedNo,
    help: "Mirror half of the pictures. Default: yes, unless classes are letters or digits.")
  var flips: Bool?

  @Option(help: "Seed of everything random.")
  var seed: UInt64 = 1

  @Option(help: "Seconds between two states on disk.")
  var stateEvery = 60.0

  @OptionGroup var compute: ComputeOptions
  @OptionGroup var console: ConsoleOptions

  func validate() throws {
    try OptionChecks.require("batch", batch, in: 2...8_192)
    try OptionChecks.require(
      epochs > 0 && epochs <= 1e5, "--epochs is \(epochs), expected more than 0, up to 1e5.")
    try OptionChecks.require(minutes: minutes)
    try OptionChecks.require(learningRate: learningRate)
    try OptionChecks.require("size", size, in: 8...512)
    try OptionChecks.require("width", width, in: 4...512)
    try OptionChecks.require("shift", shift, in: 0...64)
    try OptionChecks.require(notNegative: ["state-every": stateEvery])
  }

  func run() throws {
    try compute.run(defaultPrecision: .bfloat16) { try train() }
  }

  private func train() throws {
    let start = Date()
    let dataName = URL(filePath: data).standardizedFileURL.lastPathComponent
    let path = out ?? "runs/classify-\(dataName)"
    try OutputLocation.check(folder: path)
    let (set, testSet) = try readSets()
    let run = try StartedRun(path, makeSettings(set), console)
    let classifier = try makeClassifier(set, path)
    let batches = try ClassifierBatches(set, run.settings.batches, seed: seed)
    let rate = WarmupCosine(
      peak: learningRate, warmup: 100, total: run.settings.totalSteps ?? .max)
    let trainer = try ClassifierTrainer(classifier, batches, rate, startingAfter: run.state)
    console.say(
      "\(run.words) \(classifier.parameterCount / 1000)k parameters on \(set.count) pictures of "
        + "\(set.classNames.count) classes in \(run.folder.path)")
    try run.folder.write(settings: run.settings)
    var session = ClassifierSession(
      folder: run.folder, console: console, settings: run.settings, trainer: trainer,
      losses: run.state?.losses ?? [], log: AccuracyLog(run.state), stateEverySeconds: stateEvery,
      stepsPerEpoch: batches.perEpoch
    ) { try classifier.test(testSet).accuracy }
    guard try session.train(minutes: minutes ?? 0) else { try console.stopTraining() }
    try classifier.save(folder: run.folder.path)
    try finish(classifier, testSet, session, Date().timeIntervalSince(start))
  }

  private func readSets() throws -> (train: PictureSet, test: PictureSet) {
    var bar = ProgressBar("Reading", isVisible: console.isTalkative)
    defer { bar.finish() }
    let set = try PictureSet.load(data, split: .train, size: size) { bar.update($0, of: $1) }
    guard set.labels != nil else { throw EvaluationError.noLabels(name: set.name) }
    guard set.classNames.count > 1 else {
      throw ValidationError(
        "\(data) has one class, \(set.classNames.first ?? ""); a classifier needs at least two.")
    }
    let testSet = try PictureSet.load(
      testOn ?? data, split: .test, size: set.height == set.width ? set.height : nil,
      channels: set.channels)
    return (set, try testSet.relabelled(set.classNames))
  }

  private func makeSettings(_ set: PictureSet) -> ClassifierSettings {
    var batches = ClassifierBatches.Config(for: set)
    batches.batchSize = min(batch, max(2, set.count))
    if let shift { batches.maxShift = shift }
    if let flips { batches.flips = flips }
    let perEpoch = Double((set.count + batches.batchSize - 1) / batches.batchSize)
    return ClassifierSettings(
      data: data, pictures: set.count, height: set.height,
      totalSteps: minutes == nil ? max(1, Int((epochs * perEpoch).rounded())) : nil,
      batches: batches, learningRate: learningRate, width: width, seed: seed,
      precision: (compute.precision ?? .bfloat16).rawValue)
  }

  private func makeClassifier(_ set: PictureSet, _ path: String) throws -> PictureClassifier {
    let name = name ?? URL(filePath: path).standardizedFileURL.lastPathComponent
    var config = ClassifierConfig(for: set, name: name)
    config.blockOutChannels = config.blockOutChannels.indices.map { min(4 * width, width << $0) }
    let classifier: PictureClassifier
    do {
      classifier = try PictureClassifier(config)
    } catch {
      throw ValidationError("\(error.key) is \(error.found), expected \(error.expected).")
    }
    var generator = TorchGenerator(seed: stepSeed(seed, 0, .weights))
    classifier.initialize(using: &generator)
    return classifier
  }

  private func finish(
    _ classifier: PictureClassifier, _ testSet: PictureSet, _ session: ClassifierSession,
    _ seconds: Double
  ) throws {
    let path = session.folder.path
    let rows = try Compute.with(
      { $0.precision = .float32 }, { try classifier.probabilities(of: testSet) })
    let matrix = ConfusionMatrix(testSet, probabilities: rows)
    let title = "\(classifier.config.name) on \(testSet.name)"
    try write(matrix.picture(title: title), to: path + "/confusion.png")
    if let sheet = mistakeSheet(testSet, probabilities: rows) {
      try write(sheet, to: path + "/samples/mistakes.png")
    }
    let report = ClassifierReport(matrix, name: classifier.config.name, data: testSet.name)
    report.lines.forEach(console.say)
    console.say(
      "Trained in \(duration(seconds)). The classifier is in \(path), with confusion.png, "
        + "accuracy.png and samples/mistakes.png.")
    try console.report(
      ClassifierTrainReport(
        run: path, steps: session.step, loss: session.losses.last, seconds: seconds,
        test: report))
  }
}

/// `--json` of `imgen classify train`.
private struct ClassifierTrainReport: Encodable {
  let run: String
  let steps: Int
  let loss: Float?
  let seconds: Double
  let test: ClassifierReport
}

/// What decides the numbers of a run, kept so that it goes on as it began.
struct ClassifierSettings: RunSettings {
  var data: String
  var pictures: Int
  var height: Int
  var totalSteps: Int?
  var batches: ClassifierBatches.Config
  var learningRate: Float
  var width: Int
  var seed: UInt64
  var precision: String
}
