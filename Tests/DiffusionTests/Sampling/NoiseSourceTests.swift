import ComputeCore
import Diffusion
import Testing

@Suite struct NoiseSourceTests {
  private let shape = [2, 4, 5, 3]

  @Test func oneGeneratorDrawsAsDiffusers() throws {
    let fixture = try Fixture("noise")
    var noise = TorchNoise(seed: 7)
    expectClose(noise.noise(shape), try fixture.tensor("batch.first"), absolute: 1e-6)
    expectClose(noise.noise(shape), try fixture.tensor("batch.second"), absolute: 1e-6)
  }

  @Test func oneGeneratorPerPictureDrawsAsDiffusers() throws {
    let fixture = try Fixture("noise")
    var noise = TorchNoise(seeds: [7, 8])
    expectClose(noise.noise(shape), try fixture.tensor("each.first"), absolute: 1e-6)
    expectClose(noise.noise(shape), try fixture.tensor("each.second"), absolute: 1e-6)
  }

  @Test func pictureOfAListHasTheNumbersOfItsSeedAlone() {
    var (list, alone) = (TorchNoise(seeds: [1, 9]), TorchNoise(seed: 9))
    let second = Array(list.noise([2, 4, 4, 4]).values.suffix(64))
    #expect(second == alone.noise([1, 4, 4, 4]).values)
  }
}
