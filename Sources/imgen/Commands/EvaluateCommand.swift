import ArgumentParser
import Checkpoints
import ComputeCore
import Datasets
import Evaluation
import Foundation
import ImageIO

/// Says how far made pictures are from real ones.
struct EvaluateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "evaluate", abstract: "Measure how close made pictures are to real ones.",
    discussion: """
      Example: imgen evaluate fashion-mnist samples --features runs/fashion-cnn
      Figures carry the name of the network whose features they rest on, and depend on the number \
      of pictures: compare only figures of equal networks and counts.
      """)

  @Argument(help: "The real pictures: fashion-mnist, or a folder of any kind.")
  var real: String

  @Argument(help: "The made pictures: likewise.")
  var fake: String

  @Option(
    help: """
      Whose features are compared: the folder of a classifier, or a safetensors file of \
      EfficientNet-Lite0 or InceptionV3.
      """)
  var features: String

  @Option(
    help: """
      Width and height that pictures are brought to. Default: what the classifier takes; for other \
      networks that of the data, for folders at most 64.
      """)
  var size: Int?

  @Option(help: "Pictures of each set at most.")
  var count = 10_000

  @Option(help: "Which of the real pictures to measure against: train, test or all.")
  var realSplit = PictureSet.Split.test

  @Option(help: "Which of the made pictures to measure: train, test or all.")
  var fakeSplit = PictureSet.Split.all

  @Option(help: "PNG file for made pictures beside the most similar real ones of the train split.")
  var out = "nearest.png"

  @Flag(inversion: .prefixedNo, help: "Look for the most similar training picture of each.")
  var nearest = true

  @Option(help: "Seed of the choice of pictures and of the intervals.")
  var seed: UInt64 = 0

  @OptionGroup var compute: ComputeOptions
  @OptionGroup var console: ConsoleOptions

  func validate() throws {
    if let size, !(8...1024).contains(size) {
      throw ValidationError("--size is \(size), expected 8 to 1024.")
    }
    if count < FeatureStatistics.minimumCount {
      throw ValidationError(
        "--count is \(count), expected at least \(FeatureStatistics.minimumCount).")
    }
  }

  func run() throws {
    if nearest { try OutputLocation.check(picture: out) }
    try compute.run(defaultPrecision: .float32) { try evaluate() }
  }

  private func evaluate() throws {
    let measured = try FeatureSource(features)
    let realSet = try chosen(read(real, realSplit, measured))
    let fakeSet = try chosen(read(fake, fakeSplit, measured, like: realSet))
    let statistics = try FeatureStatistics(
      featuresOf(realSet, measured.network, "Real pictures"), network: measured.network.name,
      name: real)
    let fakeFeatures = try featuresOf(fakeSet, measured.network, "Made pictures")
    var settings = KernelDistance.Settings()
    settings.seed = seed
    let report = try statistics.report(on: fakeFeatures, name: fake, settings: settings)
    lines(report).forEach(console.say)
    let copies = try nearest ? findNearest(fakeSet, fakeFeatures, statistics, measured) : nil
    try console.report(EvaluationFigures(report: report, nearest: copies))
  }

  private func read(
    _ argument: String, _ split: PictureSet.Split, _ source: FeatureSource,
    like other: PictureSet? = nil
  ) throws -> PictureSet {
    var bar = ProgressBar("Reading \(argument)", isVisible: console.isTalkative)
    defer { bar.finish() }
    let set = try PictureSet.load(
      argument, split: split, size: size ?? source.size ?? other.flatMap(squareSize),
      channels: source.channels
    ) { bar.update($0, of: $1) }
    if size == nil, source.size == nil, set.height == 64 {
      console.warn(
        "the pictures of \(argument) are compared at 64x64; --size N takes another size.")
    }
    return set
  }

  private func squareSize(_ set: PictureSet) -> Int? {
    set.height == set.width ? set.height : nil
  }

  /// At most `count` pictures, chosen by the seed, in the order of the set.
  private func chosen(_ set: PictureSet) -> PictureSet {
    guard set.count > count else { return set }
    var generator = SplitMix64(seed: seed)
    var places = Array(0..<set.count)
    for place in 0..<count { places.swapAt(place, place + generator.below(set.count - place)) }
    return set.subset(places.prefix(count).sorted())
  }

  private func featuresOf(
    _ set: PictureSet, _ network: FeatureNetwork, _ title: String
  ) throws -> Tensor {
    var bar = ProgressBar(title, isVisible: console.isTalkative)
    defer { bar.finish() }
    return try network.features(of: set) { bar.update($0, of: set.count) }
  }

  private func lines(_ report: QualityReport) -> [String] {
    let (kernel, manifold) = (report.kernelDistance, report.manifold)
    func line(_ name: String, _ value: String, _ meaning: String) -> String {
      TextTable(columns: [
        .init(title: "", width: max(12, report.network.count + 4), isNumber: false),
        .init(title: "", width: 10), .init(title: "", width: 40, isNumber: false),
      ]).line([name, value, meaning])
    }
    func digits(_ value: Double) -> String { String(format: "%.4f", value) }
    return [
      "\(report.fakeCount) made pictures beside \(report.realCount) real ones:",
      line("FD-\(report.network)", digits(report.frechetDistance), "Fréchet distance; 0 is best"),
      line(
        "KD-\(report.network)", digits(kernel.value),
        "kernel distance; 95 % interval \(digits(kernel.lower)) to \(digits(kernel.upper)), "
          + "subsets \(digits(kernel.subsetMean)) ± \(digits(kernel.subsetDeviation))"),
      line("precision", digits(manifold.precision), "share of made pictures among the real ones"),
      line("recall", digits(manifold.recall), "share of real pictures among the made ones"),
      line("density", digits(manifold.density), "real neighbourhoods around a made one, about 1"),
      line("coverage", digits(manifold.coverage), "share of real pictures with a made one near"),
    ]
  }

  private func findNearest(
    _ fakeSet: PictureSet, _ fakeFeatures: Tensor, _ statistics: FeatureStatistics,
    _ source: FeatureSource
  ) throws -> NearestFigures {
    let training = try read(real, .train, source, like: fakeSet)
    let features = try featuresOf(training, source.network, "Training pictures")
    let found = nearestPictures(of: fakeFeatures, among: features)
    let usual = nearestPictures(of: statistics.features, among: features)
    try write(
      nearestSheet(fakeSet, showing: shown(found), beside: training, found), to: out)
    let figures = NearestFigures(
      sheet: out, madeMedian: median(found), realMedian: median(usual))
    console.say(
      String(
        format: "distance to the most similar training picture: %.3f (of real pictures: %.3f); "
          + "much less would mean copies", figures.madeMedian, figures.realMedian))
    console.say("Made pictures beside their most similar training picture are in \(out).")
    return figures
  }

  /// The six pictures that are most like a training picture, and thirty spread over the set.
  private func shown(_ found: [NearestPicture]) -> [Int] {
    let closest = found.indices.sorted { found[$0].distance < found[$1].distance }.prefix(6)
    let spread = min(30, found.count)
    return closest + (0..<spread).map { $0 * found.count / spread }
  }

  private func median(_ found: [NearestPicture]) -> Double {
    let sorted = found.map(\.distance).sorted()
    return sorted[sorted.count / 2]
  }
}

/// `--json` of `imgen evaluate`.
private struct EvaluationFigures: Encodable {
  let report: QualityReport
  let nearest: NearestFigures?
}

/// How near made pictures come to the training pictures.
private struct NearestFigures: Encodable {
  let sheet: String
  let madeMedian: Double
  let realMedian: Double
}
