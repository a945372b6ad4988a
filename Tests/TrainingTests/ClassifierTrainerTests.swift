import ComputeCore
import Datasets
import Evaluation
import ImageIO
import Layers
import TestSupport
import Testing
import Training

/// Pictures of 9x8 pixels: a bright square at the left or at the right on noise.
private func squares(_ count: Int) -> PictureSet {
  var generator = SplitMix64(seed: 11)
  var pixels: [UInt8] = []
  for index in 0..<count {
    for place in 0..<72 {
      let (row, column) = (place / 9, place % 9)
      let isBright = (2..<5).contains(row) && (index % 2 == 0 ? 1..<4 : 5..<8).contains(column)
      pixels.append(UInt8(isBright ? 180 + generator.below(70) : generator.below(90)))
    }
  }
  return PictureSet(
    name: "squares", height: 8, width: 9, channels: 1, pixels: pixels,
    labels: (0..<count).map { $0 % 2 }, classNames: ["left", "right"])
}

private func configuration(_ change: (inout ClassifierBatches.Config) -> Void = { _ in })
  -> ClassifierBatches.Config
{
  var config = ClassifierBatches.Config()
  (config.batchSize, config.maxShift, config.flips) = (8, 0, false)
  change(&config)
  return config
}

@Suite struct ClassifierBatchesTests {
  @Test func anEpochHasEveryPictureOnce() throws {
    let set = squares(20)
    let batches = try ClassifierBatches(set, configuration(), seed: 3)
    #expect(batches.perEpoch == 3)
    var found: [[Float]] = []
    for index in 0..<5 {
      let (x, ids) = batches.batch(index)
      #expect(x.shape == [8, 8, 9, 1] && ids.count == 8)
      for place in 0..<8 {
        let values = Array(x.values[place * 72..<place * 72 + 72])
        found.append(values + [Float(ids[place])])
      }
    }
    let all = (0..<20).map { set.tensor([$0]).values + [Float($0 % 2)] }
    for epoch in 0..<2 {
      let seen = Set(found[epoch * 20..<epoch * 20 + 20])
      #expect(seen == Set(all))
    }
    #expect(found[..<20] != found[20...])
  }

  @Test func picturesAreMovedAndMirroredAndNothingElse() throws {
    let set = squares(4)
    let batches = try ClassifierBatches(
      set,
      configuration {
        $0.maxShift = 1
        $0.flips = true
      }, seed: 5)
    var kinds: Set<[Int]> = []
    for index in 0..<40 {
      let (x, _) = batches.batch(index)
      for place in 0..<8 {
        let values = Array(x.values[place * 72..<place * 72 + 72])
        let kind = try #require(origin(values, set), "a picture that was not in the set")
        kinds.insert(Array(kind.dropFirst()))
      }
      #expect(batches.batch(index).x.values == x.values)
    }
    #expect(kinds.count == 18, "nine places, mirrored or not")
  }

  /// The picture, the shift and whether it was mirrored, of numbers that were made of one of `set`.
  private func origin(_ values: [Float], _ set: PictureSet) -> [Int]? {
    for picture in 0..<set.count {
      let source = set.tensor([picture]).values
      for kind in 0..<18 {
        let (down, right, isMirrored) = (kind % 3 - 1, kind / 3 % 3 - 1, kind >= 9)
        let expected = (0..<72).map { place -> Float in
          let (row, moved) = (place / 9 - down, place % 9 - right)
          guard (0..<8).contains(row), (0..<9).contains(moved) else { return -1 }
          return source[row * 9 + (isMirrored ? 8 - moved : moved)]
        }
        if expected == values { return [picture, down, right, isMirrored ? 1 : 0] }
      }
    }
    return nil
  }

  @Test func lettersAreNotMirrored() {
    func flips(_ names: [String]) -> Bool {
      ClassifierBatches.Config(
        for: PictureSet(
          name: "n", height: 28, width: 28, channels: 1, pixels: [UInt8](repeating: 0, count: 784),
          labels: [0], classNames: names)
      ).flips
    }
    #expect(!flips(["0", "1", "9"]) && flips(["Shirt", "Bag"]))
  }

  @Test func picturesWithoutClassesAreRefused() {
    let set = PictureSet(name: "n", height: 1, width: 1, channels: 1, pixels: [0])
    #expect(throws: TrainingError.self) {
      try ClassifierBatches(set, ClassifierBatches.Config(), seed: 1)
    }
  }
}

@Suite struct ClassifierTrainerTests {
  private func trainer(
    _ set: PictureSet, steps: Int, state: TrainingState? = nil
  ) throws -> (PictureClassifier, ClassifierTrainer) {
    var config = ClassifierConfig(for: set, name: "tiny")
    (config.blockOutChannels, config.hiddenSize) = ([4, 8], 8)
    let classifier = try PictureClassifier(config)
    var generator = TorchGenerator(seed: 2)
    classifier.initialize(using: &generator)
    let batches = try ClassifierBatches(set, configuration { $0.maxShift = 1 }, seed: 7)
    return (
      classifier,
      try ClassifierTrainer(
        classifier, batches, WarmupCosine(peak: 1e-2, warmup: 5, total: steps),
        startingAfter: state)
    )
  }

  @Test func learnsToTellSquaresApart() throws {
    let set = squares(64)
    let (classifier, run) = try trainer(set, steps: 80)
    let before = try classifier.test(set).accuracy
    let steps = Array(run)
    #expect(steps.map(\.index) == Array(1...80))
    #expect(steps.allSatisfy { $0.gradientNorm > 0 && (0...1).contains($0.accuracy) })
    #expect(steps[79].loss < 0.2 && steps[0].loss > 0.4)
    #expect(try classifier.test(set).accuracy >= max(0.98, before))
    #expect(steps.suffix(10).reduce(0) { $0 + $1.accuracy } > 9.5)
  }

  /// Parameters, moments and running statistics come back bit for bit.
  @Test func aStoppedRunEndsAsAnUninterruptedOne() throws {
    let (set, folder) = (squares(20), try ScratchFolder())
    let (straight, run) = try trainer(set, steps: 12)
    let losses = run.map(\.loss)
    var (_, first) = try trainer(set, steps: 12)
    let begun = (0..<5).compactMap { _ in first.next()?.loss }
    try TrainingState.save(
      first.optimizer, step: first.step, losses: begun, notes: [:], in: folder.path)
    let state = try #require(TrainingState.latest(in: folder.path))
    let (resumed, second) = try trainer(set, steps: 12, state: state)
    #expect(begun + second.map(\.loss) == losses)
    for (a, b) in zip(straight.namedParameters(), resumed.namedParameters()) {
      #expect(a.parameter.value.values == b.parameter.value.values, "\(a.key)")
    }
  }

  @Test func accuraciesAreKeptWithTheState() throws {
    let (set, folder) = (squares(8), try ScratchFolder())
    var (_, run) = try trainer(set, steps: 4)
    var log = AccuracyLog()
    #expect(log.chart(stepsPerEpoch: 1, title: "t") == nil)
    for step in run { log.add(step, interval: 2) }
    log.addTest(0.75, step: 4)
    #expect(log.training.map(\.step) == [2, 4] && log.test.map(\.accuracy) == [0.75])
    _ = run.next()
    try TrainingState.save(
      run.optimizer, step: 4, losses: [1], notes: log.notes, in: folder.path)
    #expect(AccuracyLog(TrainingState.latest(in: folder.path)) == log)
    #expect(log.chart(stepsPerEpoch: 1, title: "t")?.width == 960)
  }
}
