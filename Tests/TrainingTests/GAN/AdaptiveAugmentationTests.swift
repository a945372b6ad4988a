import ComputeCore
import Datasets
import Testing
import Training

@Suite struct AdaptiveAugmentationTests {
  private func adapted(_ steps: Int, real: Float, fake: Float) -> AdaptiveAugmentation {
    var augmentation = AdaptiveAugmentation()
    for _ in 0..<steps {
      augmentation.adapt(
        real: Tensor(repeating: real, [64]), fake: Tensor(repeating: fake, [64]))
    }
    return augmentation
  }

  @Test func itGrowsWhileTheDiscriminatorIsAlwaysRight() {
    #expect(adapted(10, real: 1, fake: 2).probability == 0)
    let some = adapted(100, real: 2, fake: 1)
    // After 19 steps the running mean is above 0.6; each later one adds 64 / 50,000.
    #expect(abs(some.probability - 82 * 64 / 50_000) < 2.1 * 64 / 50_000)
    #expect(adapted(5_000, real: 2, fake: 1).probability == 0.8)
  }

  @Test func withoutStrengthPicturesStayAsTheyAre() {
    var random = SplitMix64(seed: 1)
    let x = Tensor((0..<32).map(Float.init), [2, 4, 4, 1])
    #expect(AdaptiveAugmentation()(x, using: &random).values == x.values)
  }

  @Test func changesKeepSizesAndLetGradientsThrough() throws {
    let augmentation = adapted(5_000, real: 2, fake: 1)
    var random = SplitMix64(seed: 2)
    var generator = TorchGenerator(seed: 3)
    let x = Tensor.randn([16, 16, 16, 3], using: &generator).asVariable()
    let y = augmentation(x, using: &random)
    #expect(y.shape == x.shape && y.values != x.values)
    let found = try #require(gradients(of: y.sum())[x])
    // Every pixel of the result has one origin, so that the gradients are the contrasts, counted.
    let total = found.sum().item
    #expect(abs(total / Float(x.count) - 1) < 0.1)
    #expect(found.values.contains(0), "pixels that were moved out get nothing")
  }
}
