import ComputeCore
import Datasets
import Foundation
import GAN
import Layers
import TestSupport
import Testing
import Training

/// Runs of small networks on pictures of bars.
@Suite struct GANTrainerTests {
  /// 16x16 grey pictures: class 0 has an upright bar, class 1 a lying one, at any place.
  private static let bars: PictureSet = {
    var random = SplitMix64(seed: 3)
    var (pixels, labels): ([UInt8], [Int]) = ([], [])
    for index in 0..<256 {
      let (label, place) = (index % 2, 2 + random.below(10))
      labels.append(label)
      for y in 0..<16 {
        for x in 0..<16 {
          let isBar = (place..<place + 3).contains(label == 0 ? x : y)
          pixels.append(isBar ? UInt8(200 + random.below(40)) : UInt8(random.below(20)))
        }
      }
    }
    return PictureSet(
      name: "bars", height: 16, width: 16, channels: 1, pixels: pixels, labels: labels,
      classNames: ["upright", "lying"])
  }()

  private func trainer(
    startingAfter step: Int = 0, _ change: (inout GANTrainingConfig) -> Void = { _ in }
  ) throws -> GANTrainer {
    var network = GANConfig()
    (network.sampleSize, network.classNames) = (16, Self.bars.classNames)
    (network.baseChannels, network.maxChannels, network.latentSize) = (16, 32, 8)
    let (generator, discriminator) = (try Generator(network), try Discriminator(network))
    var random = TorchGenerator(seed: 1)
    generator.initializeForTraining(using: &random)
    discriminator.initializeForTraining(using: &random)
    var config = GANTrainingConfig()
    (config.batchSize, config.learningRate, config.emaDecay) = (32, 2e-3, 0.98)
    change(&config)
    return GANTrainer(
      generator, discriminator, on: Self.bars, config, startingAfter: step)
  }

  @Test func itLearnsWhereEachClassHasItsBars() throws {
    var trainer = try trainer()
    for step in 0..<250 { _ = trainer.next(progress: Double(step) / 250) }
    let order = PictureOrder(count: 64, seed: 5, classCount: 2)
    let generator = trainer.networks.generator
    let made = trainer.optimizers.generator.withAverages { generator.draw(order) }
    // Along an upright bar nothing changes, across it much does; the other way round when lying.
    let values = made.values
    var right = 0
    for (index, label) in order.labels.enumerated() {
      var (down, across): (Float, Float) = (0, 0)
      for y in 0..<15 {
        for x in 0..<15 {
          let place = index * 256 + y * 16 + x
          down += abs(values[place + 16] - values[place])
          across += abs(values[place + 1] - values[place])
        }
      }
      right += (label == 0) == (across > 1.5 * down) && abs(across - down) > 5 ? 1 : 0
    }
    #expect(right >= 50, "\(right) of 64 pictures show the bar that was asked for")
    let share =
      deviation(of: made, labels: order.labels)
      / deviation(of: Self.bars.tensor(0..<64), labels: (0..<64).map { Int32($0 % 2) })
    #expect(share > 0.5 && share < 1.5, "bars lie in all places: \(share)")
  }

  @Test func theGeneratorHasALearningRateOfItsOwn() throws {
    // Adam without a mean of gradients moves each number by the learning rate at first.
    func moved(_ rate: Float) throws -> [Float] {
      var trainer = try trainer { $0.generatorRate = rate }
      let before = trainer.networks.generator.namedParameters().flatMap(\.1.value.values)
      _ = trainer.next(progress: 0)
      let after = trainer.networks.generator.namedParameters().flatMap(\.1.value.values)
      return zip(before, after).map { $1 - $0 }
    }
    let (half, whole) = (try moved(0.5), try moved(1))
    #expect(whole.contains { abs($0) > 1e-3 })
    #expect(zip(half, whole).allSatisfy { abs(2 * $0 - $1) < 2e-6 })
  }

  @Test func thePenaltyFadesByAFixedFactor() {
    var objective = GANObjective()
    (objective.gamma, objective.finalGamma) = (8, 0.5)
    #expect(objective.penaltyWeight(decay: 1) == 8)
    #expect(abs(objective.penaltyWeight(decay: 0.5) - 2) < 1e-5)
    #expect(abs(objective.penaltyWeight(decay: 0) - 0.5) < 1e-6)
  }

  @Test func aResumedRunHasTheNumbersOfAnUninterruptedOne() throws {
    let folder = try ScratchFolder()
    func change(_ config: inout GANTrainingConfig) {
      config.augments = true
      config.objective.penaltyInterval = 2
    }
    var straight = GANRun(try trainer(change), on: Self.bars)
    for step in 0..<9 {
      _ = straight.next(progress: Double(step) / 9)
      if step == 4 { try straight.trainer.save(history: straight.history, in: folder.path) }
    }
    let state = try #require(TrainingState.latest(in: folder.path))
    var other = try trainer(startingAfter: state.step, change)
    try other.restore(state)
    var resumed = GANRun(
      other, on: Self.bars, history: try #require(GANHistory(state.series)))
    for step in 5..<9 { _ = resumed.next(progress: Double(step) / 9) }
    #expect(resumed.history.csv == straight.history.csv)
    #expect(
      resumed.history.count == 9 && resumed.trainer.augmentation == straight.trainer.augmentation)
    let pairs = zip(
      straight.trainer.optimizers.generator.averages, resumed.trainer.optimizers.generator.averages)
    #expect(pairs.allSatisfy { $0.values == $1.values })
  }

  @Test func aForcedCollapseIsCaughtAndRecoveredFrom() throws {
    var limits = CollapseAlarm.Limits()
    limits.warmUpSteps = 100
    var run = GANRun(try trainer(), on: Self.bars, limits: limits)
    var returns: [CollapseAlarm.Sign] = []
    for step in 0..<400 where run.trainer.step < 300 {
      if step == 150 { run.setLearningRateScale(50) }
      switch run.next(progress: Double(run.trainer.step) / 300) {
      case .step: break
      case .wentBack(let sign, let to, let scale):
        returns.append(sign)
        #expect(to == 100, "the last healthy look was after step 100")
        #expect(scale <= 0.5, "on with a lower learning rate than the healthy one")
      case .gaveUp(let sign): Issue.record("gave up: \(sign)")
      }
    }
    #expect(!returns.isEmpty, "a learning rate of 0.1 must be noticed")
    #expect(run.trainer.step == 300 && run.history.count == 300)
    #expect(run.trainer.learningRateScale <= 0.5)
    let gap = abs(
      run.history.recent("logit_real", over: 20) - run.history.recent("logit_fake", over: 20))
    #expect(gap < 10, "logits are near each other again: \(gap)")
    let order = PictureOrder(count: 64, seed: 9, classCount: 2)
    let made = run.trainer.networks.generator.draw(order)
    #expect(deviation(of: made, labels: order.labels) > 0.2, "pictures differ again")
  }

  @Test func aRunThatCannotBeHealedGivesUp() throws {
    var limits = CollapseAlarm.Limits()
    limits.logitGap = -1
    var run = GANRun(try trainer(), on: Self.bars, limits: limits)
    for relapse in 1...GANRun.relapseLimit {
      guard case .wentBack(_, let step, let scale) = run.next(progress: 0) else {
        Issue.record("expected to go back")
        return
      }
      #expect(step == 0 && scale == 1 / Float(1 << relapse))
    }
    let before = run.trainer.optimizers.generator.parameters.map { $0.parameter.value.values }
    guard case .gaveUp(.runawayLogits) = run.next(progress: 0) else {
      Issue.record("expected to give up")
      return
    }
    let after = run.trainer.optimizers.generator.parameters.map { $0.parameter.value.values }
    #expect(before == after && run.trainer.step == 0 && run.history.count == 0)
  }

  @Test func picturesThatAreAlikeAreNoticed() {
    let alarm = CollapseAlarm()
    #expect(alarm.look(atDeviation: 0.01, real: 0.5, step: 1_000) == .alike(share: 0.02))
    #expect(alarm.look(atDeviation: 0.01, real: 0.5, step: 10) == nil)
    #expect(alarm.look(atDeviation: 0.4, real: 0.5, step: 1_000) == nil)
    let x = Tensor([0, 0, 2, 4, 1, 1], [3, 1, 2, 1])
    // Class 0: pixels 0, 2 and 0, 4 deviate by 1 and 2; class 1 has one picture and does not count.
    expectClose(Tensor(deviation(of: x, labels: [0, 0, 1])), Tensor(1.5))
  }
}
