import ArgumentParser
import Checkpoints
import ComputeCore
import Datasets
import Evaluation
import Foundation
import ImageIO
import Plots

/// Everything about classifiers of pictures.
struct ClassifyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "classify", abstract: "Train, test and use a classifier of small pictures.",
    subcommands: [
      ClassifyTrainCommand.self, ClassifyTestCommand.self, ClassifyPredictCommand.self,
    ])
}

/// Counts what labelled pictures are taken for.
struct ClassifyTestCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "test", abstract: "Test a classifier on pictures of known classes.",
    discussion: "Example: imgen classify test runs/fashion-cnn fashion-mnist")

  @Argument(help: "Folder of the classifier.")
  var model: String

  @Argument(help: "fashion-mnist, or a folder of IDX files, CIFAR records or class folders.")
  var data: String

  @Option(help: "Which pictures: train, test or all.")
  var split = PictureSet.Split.test

  @Option(help: "PNG file for the confusion matrix.")
  var out = "confusion.png"

  @OptionGroup var compute: ComputeOptions
  @OptionGroup var console: ConsoleOptions

  func run() throws {
    try OutputLocation.check(picture: out)
    let classifier = try PictureClassifier.load(folder: model, isFrozen: true)
    let set = try classifier.pictures(data, split).relabelled(classifier.config.classNames)
    let matrix = try compute.run(defaultPrecision: .float32) {
      var bar = ProgressBar("Testing", isVisible: console.isTalkative)
      defer { bar.finish() }
      return try classifier.test(set) { bar.update($0, of: set.count) }
    }
    try write(
      matrix.picture(title: "\(classifier.config.name) on \(set.name)"), to: out)
    let report = ClassifierReport(matrix, name: classifier.config.name, data: set.name)
    report.lines.forEach(console.say)
    console.say("The confusion matrix is in \(out).")
    try console.report(report)
  }
}

/// Says what pictures show.
struct ClassifyPredictCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "predict", abstract: "Say what pictures show.",
    discussion: """
      Example: imgen classify predict runs/fashion-cnn shirt.png
      Pictures are cut to the shape of the classifier's and scaled; they should look like those \
      it was trained on, such as white on black.
      """)

  @Argument(help: "Folder of the classifier.")
  var model: String

  @Argument(help: "PNG or JPEG files.")
  var pictures: [String]

  @Option(help: "Classes to name for each picture.")
  var top = 3

  @OptionGroup var compute: ComputeOptions
  @OptionGroup var console: ConsoleOptions

  func validate() throws {
    if top < 1 { throw ValidationError("--top is \(top), expected at least 1.") }
  }

  func run() throws {
    let classifier = try PictureClassifier.load(folder: model, isFrozen: true)
    let config = classifier.config
    guard config.inChannels == 1 || config.inChannels == 3 else {
      throw ValidationError(
        "\(model) takes pictures of \(config.inChannels) channels, files have 1 or 3.")
    }
    var pixels: [UInt8] = []
    for path in pictures {
      let image = try ImageFile(contentsOf: path).image
      pixels += image.resizedToFill(config.width, config.height).pixels
    }
    let set = PictureSet(
      name: "pictures", height: config.height, width: config.width, channels: 3, pixels: pixels
    ).withChannels(config.inChannels)
    let guesses = try compute.run(defaultPrecision: .float32) {
      try classifier.guesses(set, top: top)
    }
    for (path, guess) in zip(pictures, guesses) {
      let words = guess.map { "\($0.name) \(percent($0.probability))" }
      console.say("\(path): \(words.joined(separator: ", "))")
    }
    try console.report(zip(pictures, guesses).map { Prediction(picture: $0, classes: $1) })
  }
}

/// `--json` of `imgen classify predict`: one of these per picture.
private struct Prediction: Encodable {
  let picture: String
  let classes: [ClassGuess]
}

/// The figures of a test.
struct ClassifierReport: Encodable {
  /// The figures of one class.
  struct ClassFigures: Encodable {
    let name: String
    let precision: Double
    let recall: Double
    let f1: Double
    let count: Int
  }

  let name: String
  let data: String
  let count: Int
  let accuracy: Double
  let classes: [ClassFigures]
  /// `[actual][predicted]`.
  let confusion: [[Int]]

  init(_ matrix: ConfusionMatrix, name: String, data: String) {
    (self.name, self.data) = (name, data)
    (count, accuracy, confusion) = (matrix.total, matrix.accuracy, matrix.counts)
    classes = matrix.classNames.enumerated().map { index, name in
      ClassFigures(
        name: name, precision: matrix.precision(index), recall: matrix.recall(index),
        f1: matrix.f1(index), count: matrix.counts[index].reduce(0, +))
    }
  }

  /// The figures as a table.
  var lines: [String] {
    let width = classes.reduce(5) { max($0, min(40, $1.name.count)) }
    let table = TextTable(columns: [
      .init(title: "class", width: width, isNumber: false), .init(title: "precision", width: 9),
      .init(title: "recall", width: 9), .init(title: "F1", width: 9),
      .init(title: "pictures", width: 8),
    ])
    return [table.header]
      + classes.map {
        table.line([
          $0.name, percent($0.precision), percent($0.recall), percent($0.f1), "\($0.count)",
        ])
      } + ["accuracy \(percent(accuracy)) of \(count) pictures"]
  }
}

extension PictureSet.Split: ExpressibleByArgument {}

extension PictureClassifier {
  /// Reads pictures in the size and colours of the classifier's.
  func pictures(_ data: String, _ split: PictureSet.Split) throws -> PictureSet {
    try PictureSet.load(
      data, split: split, size: config.height == config.width ? config.height : nil,
      channels: config.inChannels)
  }
}

/// 0.9312 → `93.12 %`.
func percent(_ share: Double) -> String { String(format: "%.2f %%", 100 * share) }

/// Writes a picture to a file whose folder may not exist yet.
func write(_ image: Image, to path: String) throws {
  let folder = (path as NSString).deletingLastPathComponent
  if !folder.isEmpty {
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  }
  try image.writePNG(to: path)
}
