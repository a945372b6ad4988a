import ComputeCore
import Datasets
import Foundation
import GAN
import Layers
import Training

/// Times training steps of a GAN, class-conditional on random grey pictures of 28x28.
struct GANBenchmark {
  /// Real pictures per step.
  let batch: Int
  /// Steps to time; 20 when `nil`.
  let steps: Int?

  private static let warmUp = 3

  /// Penalties are computed in every step.
  func report() throws -> NetworkReport {
    let start = Date()
    var config = GANConfig()
    config.classNames = (0..<10).map { "class \($0)" }
    let (generator, discriminator) = (try Generator(config), try Discriminator(config))
    var random = TorchGenerator(seed: 1)
    generator.initializeForTraining(using: &random)
    discriminator.initializeForTraining(using: &random)
    var training = GANTrainingConfig()
    training.batchSize = batch
    training.objective.penaltyInterval = 1
    var trainer = GANTrainer(generator, discriminator, on: data(config), training)
    let setup = Date().timeIntervalSince(start)
    BufferCache.shared.resetPeak()
    ProcessMemory.resetPeak()
    let seconds = (0..<Self.warmUp + (steps ?? 20)).map { _ in
      let start = Date()
      _ = trainer.next(progress: 0)
      return Date().timeIntervalSince(start)
    }
    let timing = Timing(seconds: Array(seconds.dropFirst(Self.warmUp)))
    return NetworkReport(
      work: BenchCommand.Work.gan.rawValue, config: "gan28",
      precision: Compute.current.precision.inEffect.rawValue, threads: Compute.current.threads,
      batch: batch, side: config.sampleSize, tokens: 0,
      parameters: generator.parameterCount + discriminator.parameterCount, setupSeconds: setup,
      steps: timing.seconds.count, medianSecondsPerStep: timing.median,
      picturesPerSecond: Double(batch) / timing.median, teraflopsPerSecond: nil,
      peakTensorBytes: BufferCache.shared.peakBytes, peakProcessBytes: ProcessMemory.peakBytes)
  }

  /// As many random pictures as a few steps see.
  private func data(_ config: GANConfig) -> PictureSet {
    var random = SplitMix64(seed: 1)
    let count = 4 * batch
    let size = config.sampleSize
    return PictureSet(
      name: "random", height: size, width: size, channels: 1,
      pixels: (0..<count * size * size).map { _ in UInt8(random.below(256)) },
      labels: (0..<count).map { $0 % 10 }, classNames: config.classNames)
  }
}
