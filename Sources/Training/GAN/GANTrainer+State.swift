import Foundation

extension GANTrainer {
  private static let scaleKey = "imgen.gan.learning_rate_scale"
  private static let augmentationKey = "imgen.gan.augmentation"

  /// Writes all that the run needs to go on, beside the numbers of its steps.
  package func save(history: GANHistory, in folder: String) throws(TrainingError) {
    var notes = [Self.scaleKey: "\(learningRateScale)"]
    if let data = try? JSONEncoder().encode(augmentation) {
      notes[Self.augmentationKey] = String(decoding: data, as: UTF8.self)
    }
    try TrainingState.save(
      ["generator": optimizers.generator, "discriminator": optimizers.discriminator], step: step,
      series: history.series, notes: notes, in: folder)
  }

  /// Goes on from a state; `step` must be the state's.
  ///
  /// - Throws: `TrainingError.checkpoint` when the state is of another run.
  package mutating func restore(_ state: TrainingState) throws(TrainingError) {
    try state.restore(optimizers.generator, "generator")
    try state.restore(optimizers.discriminator, "discriminator")
    learningRateScale = state.notes[Self.scaleKey].flatMap(Float.init) ?? 1
    let stored = state.notes[Self.augmentationKey].map { Data($0.utf8) }
    if let stored, let found = try? JSONDecoder().decode(AdaptiveAugmentation.self, from: stored) {
      augmentation = found
    }
  }
}
