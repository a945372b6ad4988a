import Checkpoints
import ComputeCore
import Datasets
import Evaluation
import ImageIO
import Layers
import TestSupport
import Testing

/// A classifier of two kinds of 8x8 pictures with random weights.
private func tinyClassifier(seed: UInt64 = 1) throws -> PictureClassifier {
  var config = ClassifierConfig()
  (config.name, config.height, config.width) = ("tiny", 8, 9)
  (config.blockOutChannels, config.layersPerBlock, config.hiddenSize) = ([4, 6], 1, 5)
  config.classNames = ["a", "b", "c"]
  let classifier = try PictureClassifier(config)
  var generator = TorchGenerator(seed: seed)
  classifier.initialize(using: &generator)
  return classifier
}

private func pictures(_ count: Int, classNames: [String] = ["a", "b", "c"]) -> PictureSet {
  var generator = SplitMix64(seed: 4)
  let pixels = (0..<count * 72).map { _ in UInt8(generator.below(256)) }
  return PictureSet(
    name: "noise", height: 8, width: 9, channels: 1, pixels: pixels,
    labels: (0..<count).map { $0 % 3 }, classNames: classNames)
}

@Suite struct PictureClassifierTests {
  @Test func matchesTorch() throws {
    for item in try Fixture("classifier").cases {
      let folder = try ScratchFolder()
      var config = ClassifierConfig()
      (config.height, config.width, config.inChannels) = (9, 8, 3)
      (config.blockOutChannels, config.layersPerBlock, config.hiddenSize) = ([4, 6], 2, 7)
      config.classNames = ["a", "b", "c"]
      let classifier = try PictureClassifier(config)
      for (key, parameter) in classifier.namedParameters() {
        parameter.value = parameter.fromCheckpoint(try item.tensor("model." + key))
      }
      let x = try item.tensor("x")
      expectClose(classifier(x), try item.tensor("logits"), tolerance: 5e-6)
      expectClose(classifier.features(x), try item.tensor("features"), tolerance: 5e-6)
      try classifier.save(folder: folder("model"))
      let loaded = try PictureClassifier.load(folder: folder("model"))
      #expect(loaded.config == config && loaded(x).values == classifier(x).values)
      // Training takes the batch's statistics, and keeps running ones.
      classifier.setTraining(true)
      expectClose(classifier(x), try item.tensor("training_logits"), tolerance: 2e-5)
      classifier.setTraining(false)
      let (key, mean) = try #require(
        classifier.namedParameters().first { $0.key.hasSuffix("norms.1.running_var") })
      expectClose(mean.value, try item.tensor("after." + key), tolerance: 5e-6)
    }
  }

  @Test func countsEveryPictureOnce() throws {
    let (classifier, set) = (try tinyClassifier(), pictures(20))
    var done: [Int] = []
    let matrix = try classifier.test(set, batch: 7) { done.append($0) }
    #expect(done == [7, 14, 20] && matrix.total == 20)
    #expect(matrix.counts.map { $0.reduce(0, +) } == [7, 7, 6])
    let guesses = try classifier.guesses(set, top: 2)
    let right = zip(guesses, set.labels ?? []).count { $0[0].index == $1 }
    #expect(matrix.accuracy == Double(right) / 20)
    #expect(guesses.allSatisfy { $0.count == 2 && $0[0].probability >= $0[1].probability })
    let rows = try classifier.probabilities(of: set, batch: 3)
    #expect(try classifier.probabilities(of: set, batch: 20) == rows)
    #expect(rows.allSatisfy { abs($0.reduce(0, +) - 1) < 1e-5 })
  }

  @Test func refusesWhatItDoesNotKnow() throws {
    let classifier = try tinyClassifier()
    let wide = PictureSet(
      name: "w", height: 8, width: 8, channels: 1, pixels: [UInt8](repeating: 0, count: 64))
    for set in [wide, pictures(3, classNames: ["a", "b", "d"])] {
      #expect(throws: EvaluationError.self) { try classifier.test(set) }
    }
    #expect(throws: EvaluationError.self) { try FeatureNetwork(classifier).features(of: wide) }
  }

  @Test func classesAreMatchedByName() throws {
    let classifier = try tinyClassifier()
    let (set, swapped) = (pictures(30), pictures(30, classNames: ["A", "c", "b."]))
    let (matrix, other) = (try classifier.test(set), try classifier.test(swapped))
    #expect(other.counts == [matrix.counts[0], matrix.counts[2], matrix.counts[1]])
    #expect(other.classNames == ["a", "b", "c"])
  }

  @Test func featuresAreThoseOfTheLayerBeforeTheLast() throws {
    let (classifier, set) = (try tinyClassifier(), pictures(11))
    let network = FeatureNetwork(classifier)
    let features = try network.features(of: set)
    #expect(network.name == "tiny" && network.channels == 5)
    expectClose(features, classifier.features(set.tensor(0..<11)), tolerance: 1e-6)
    #expect(network(set.tensor(0..<11)).values == features.values)
  }

  @Test(arguments: [
    "{\"class_names\": [\"a\"]}", "{\"class_names\": [\"a\", \"a\"]}",
    "{\"class_names\": [\"a\", \"b\"], \"height\": 0}",
    "{\"class_names\": [\"a\", \"b\"], \"block_out_channels\": [8, 8, 8, 8, 8]}",
    "{\"class_names\": [\"a\", \"b\"], \"hidden_size\": -1}", "{\"class_names\": 3}",
  ])
  func impossibleSettingsAreRefused(_ text: String) throws {
    let folder = try ScratchFolder()
    try tinyClassifier().save(folder: folder("m"))
    try folder.write(text, to: "m/config.json")
    #expect(throws: CheckpointError.self) { try PictureClassifier.load(folder: folder("m")) }
  }

  @Test(arguments: [(28, 3), (32, 3), (64, 4), (8, 1), (4, 1), (128, 5)])
  func depthFollowsTheSize(_ side: Int, _ blocks: Int) throws {
    let set = PictureSet(
      name: "s", height: side, width: side, channels: 1,
      pixels: [UInt8](repeating: 0, count: side * side), labels: [0], classNames: ["a", "b"])
    let config = ClassifierConfig(for: set, name: "n")
    #expect(config.blockOutChannels.count == blocks)
    _ = try PictureClassifier(config)
  }
}
