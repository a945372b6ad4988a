import ComputeCore
import Diffusion
import Layers
import TestSupport
import Testing
import Training

@Suite struct DiffusionTrainerTests {
  @Test func learnsAFewPicturesByHeart() throws {
    let photos = try ScratchFolder()
    try TinyModelFolder.writePhotos(4, side: 16, to: photos.path)
    let run = try TinyRun(photos: photos.path, steps: 200, rate: 2e-2, isVaried: false)
    let losses = run.trainer.map(\.loss)
    #expect(losses.count == 200)
    let (first, last) = (mean(losses.prefix(10)), mean(losses.suffix(10)))
    #expect(last * 3 < first, "loss fell from \(first) to \(last)")
  }

  @Test func stepsSayWhatTheyDid() throws {
    let photos = try ScratchFolder()
    try TinyModelFolder.writePhotos(2, side: 16, to: photos.path)
    var run = try TinyRun(photos: photos.path, steps: 4)
    let steps = Array(run.trainer)
    #expect(steps.map(\.index) == [1, 2, 3, 4])
    #expect(steps.map(\.count) == [4, 4, 4, 4])
    let schedule = run.trainer.rate
    #expect(steps.map(\.learningRate) == (0..<4).map { schedule.rate(at: $0) })
    #expect(steps.allSatisfy { $0.gradientNorm > 0 && $0.loss > 0 })
    #expect(run.optimizer.updates == 4)
    let next = run.trainer.next()
    #expect(next?.index == 1, "iterating over a copy leaves the trainer where it was")
  }

  /// Adding up the gradients of two batches is training on both at once.
  @Test func accumulationEqualsTheMeanOfTheGradients() throws {
    let unet = try tinyUNet()
    let parameters = unet.namedParameters().filter { !$0.parameter.isFrozen }
    let objective = try DiffusionObjective(scheduler(.sample), .constant)
    let batches = ConstantBatches(value: 0.5)
    var config = AdamW.Config()
    config.maxGradientNorm = nil
    func norm(accumulation: Int, seed: UInt64) -> Float {
      var trainer = DiffusionTrainer(
        unet, objective, batches, AdamW(parameters, config),
        WarmupCosine(peak: 0, warmup: 0, total: 1), accumulation: accumulation, seed: seed)
      return trainer.next()?.gradientNorm ?? -1
    }
    let both = norm(accumulation: 2, seed: 9)
    let first = norm(accumulation: 1, seed: 9)
    #expect(both > 0 && first > 0 && both != first)
    // The mean of two vectors is at most as long as the longer one, and of the same order here.
    #expect(both < 3 * first && first < 3 * both)
  }

  private func mean(_ values: ArraySlice<Float>) -> Float {
    values.reduce(0, +) / Float(values.count)
  }
}
