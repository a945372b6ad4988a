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
    /// It collapsed again and again, and is back at its last healthy state.
    case gaveUp(CollapseAlarm.Sign)
  }

  /// The trainer, whose `step` counts the steps done.
  package private(set) var trainer: GANTrainer
  /// Numbers of each step so far.
  package private(set) var history: GANHistory
  private var alarm: CollapseAlarm
  private var healthy: GANTrainer.Snapshot
  /// The one before, for when the last one was on the brink.
  private var older: GANTrainer.Snapshot?
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
    (self.trainer, self.history, alarm) = (
      trainer, history, CollapseAlarm(limits, for: trainer.config.objective.loss)
    )
    healthy = trainer.snapshot()
    let names = trainer.networks.generator.config.classNames
    let classes = min(10, max(1, names.count))
    let count = classes * Self.picturesPerClass
    probe = PictureOrder(count: count, seed: 1 << 40, classCount: classes)
    var (indices, labels): ([Int], [Int32]) = ([], [])
    for label in 0..<classes {
      let members = names.isEmpty ? Array(0..<data.count) : data.indices(ofClass: label)
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
  /// - Returns: what happened.
  package mutating func next(progress: Double) -> Event {
    let step = trainer.next(progress: progress)
    if let sign = alarm.look(at: step) { return goBack(sign) }
    history.append(step)
    if step.index % Self.stepsPerLook == 0, let event = look() { return event }
    return .step(step)
  }

  /// Looks at pictures of the present state, which is then the one to come back to.
  ///
  /// - Returns: what happened when they were not well; `nil` when they were.
  package mutating func look() -> Event? {
    if let sign = lookAtPictures() { return goBack(sign) }
    guard !alarm.isUneasy, trainer.step > healthy.step else { return nil }
    (older, healthy, relapses) = (healthy, trainer.snapshot(), 0)
    return nil
  }

  /// Goes back to the last healthy state, after a relapse to the one before.
  private mutating func goBack(_ sign: CollapseAlarm.Sign) -> Event {
    relapses += 1
    let isOver = relapses > Self.relapseLimit
    let target = relapses > 1 ? older ?? healthy : healthy
    let factor = isOver ? 1 : 1 / Float(1 << relapses)
    trainer.restore(target, scale: target.learningRateScale * factor)
    history.cut(to: trainer.step)
    alarm.reset()
    return isOver
      ? .gaveUp(sign)
      : .wentBack(sign, step: trainer.step, learningRateScale: trainer.learningRateScale)
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
