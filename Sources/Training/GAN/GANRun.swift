import ComputeCore
import Datasets
import GAN

/// A GAN's training that looks after itself: it watches for a collapse, goes back to the last
/// healthy state when there is one, and goes on with a lower learning rate.
package struct GANRun {
  /// What a step brought.
  package enum Event {
    /// All is well.
    case step(GANStep)
    /// The run went back to the end of step `step`.
    case wentBack(CollapseAlarm.Sign, step: Int, learningRateScale: Float)
    /// It collapsed again and again; nothing was changed.
    case gaveUp(CollapseAlarm.Sign)
  }

  /// The trainer, whose `step` counts the steps done.
  package private(set) var trainer: GANTrainer
  /// Numbers of each step so far.
  package private(set) var history: GANHistory
  private var alarm: CollapseAlarm
  private var healthy: GANTrainer.Snapshot
  private var relapses = 0
  private let probe: PictureOrder
  private let realDeviation: Float

  /// Steps between two looks at the pictures; the last state that passed is the one to go back to.
  package static let stepsPerLook = 100
  /// Times that a run goes back before it gives up.
  package static let relapseLimit = 6
  private static let picturesPerClass = 16

  /// A run that goes on where `trainer` is.
  package init(
    _ trainer: GANTrainer, on data: PictureSet, history: GANHistory = GANHistory(),
    limits: CollapseAlarm.Limits = CollapseAlarm.Limits()
  ) {
    (self.trainer, self.history, alarm) = (trainer, history, CollapseAlarm(limits))
    healthy = trainer.snapshot()
    let classes = min(10, max(1, trainer.networks.generator.config.classNames.count))
    let count = classes * Self.picturesPerClass
    probe = PictureOrder(count: count, seed: 1 << 40, classCount: classes)
    var (indices, labels): ([Int], [Int32]) = ([], [])
    for label in 0..<classes {
      let members = data.labels == nil ? Array(0..<data.count) : data.indices(ofClass: label)
      indices += members.prefix(Self.picturesPerClass)
      labels += members.prefix(Self.picturesPerClass).map { _ in Int32(label) }
    }
    realDeviation = Compute.withoutRecording {
      deviation(of: data.tensor(indices), labels: labels)
    }
  }

  /// Makes a step, or goes back.
  ///
  /// - Parameter progress: share of the run that is done, 0…1.
  package mutating func next(progress: Double) -> Event {
    let step = trainer.next(progress: progress)
    var sign = alarm.look(at: step)
    if sign == nil, step.index % Self.stepsPerLook == 0 {
      sign = lookAtPictures()
      if sign == nil {
        healthy = trainer.snapshot()
        relapses = 0
      }
    }
    guard let sign else {
      history.append(step)
      return .step(step)
    }
    relapses += 1
    guard relapses <= Self.relapseLimit else { return .gaveUp(sign) }
    trainer.restore(healthy, scale: healthy.learningRateScale / Float(1 << relapses))
    history.cut(to: trainer.step)
    alarm.reset()
    return .wentBack(
      sign, step: trainer.step, learningRateScale: trainer.learningRateScale)
  }

  /// Notes how good the pictures are now.
  package mutating func note(quality: Float) { history.note(quality: quality) }

  /// Multiplies the learning rates from now on.
  package mutating func setLearningRateScale(_ scale: Float) { trainer.learningRateScale = scale }

  private func lookAtPictures() -> CollapseAlarm.Sign? {
    let fake = Compute.withoutRecording {
      deviation(of: trainer.networks.generator.draw(probe), labels: probe.labels)
    }
    return alarm.look(atDeviation: fake, real: realDeviation, step: trainer.step)
  }
}
