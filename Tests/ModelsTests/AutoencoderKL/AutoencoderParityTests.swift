import Checkpoints
import ComputeCore
import Foundation
import Models
import TestSupport
import Testing

@Suite struct AutoencoderParityTests {
  @Test(arguments: ["vae_sd", "vae_one_level", "vae_no_quant"], [false, true])
  func outputsAndGradientsMatchDiffusers(_ name: String, isCheckpointed: Bool) throws {
    let fixture = try ModelFixture(name)
    let model = try AutoencoderKL.load(folder: fixture.path)
    model.usesGradientCheckpointing = isCheckpointed
    let x = try fixture.tensor("x").asVariable()
    let z = try fixture.tensor("z").asVariable()
    let moments = model.moments(x)
    expectClose(moments, try fixture.tensor("moments"), tolerance: 1e-4, "\(name) moments")
    let posterior = model.encode(x)
    expectClose(posterior.mean, try fixture.tensor("mean"), tolerance: 1e-4, "\(name) mean")
    expectClose(posterior.logvar, try fixture.tensor("logvar"), tolerance: 1e-4, "\(name) logvar")
    expectClose(posterior.std, try fixture.tensor("std"), tolerance: 1e-4, "\(name) std")
    let decoded = model.decode(z)
    expectClose(decoded, try fixture.tensor("decoded"), tolerance: 1e-4, "\(name) decoded")
    let loss =
      (moments * (try fixture.tensor("dy_moments"))).sum()
      + (decoded * (try fixture.tensor("dy_decoded"))).sum()
    let found = gradients(of: loss)
    expectClose(try #require(found[x]), try fixture.tensor("d_x"), tolerance: 1e-4, "\(name) d_x")
    expectClose(try #require(found[z]), try fixture.tensor("d_z"), tolerance: 1e-4, "\(name) d_z")
    try fixture.expectGradients(found, of: model)
  }

  @Test func scalingIsInvertible() throws {
    let model = try AutoencoderKL.load(folder: try ModelFixture("vae_no_quant").path)
    #expect(model.config.shiftFactor == 0.1159)
    #expect(model.config.downscale == 2)
    let z = Tensor([0.1159, 1, -2], [3])
    expectClose(model.scaled(z), [0, 0.8841 * 0.3611, -2.1159 * 0.3611], tolerance: 1e-6)
    expectClose(model.unscaled(model.scaled(z)), z, tolerance: 1e-6)
  }

  @Test func samplesAreDrawnChannelsFirst() {
    // Mean 0 and variance 1: the sample is torch.randn itself, which is laid out [N, C, h, w].
    let posterior = DiagonalGaussian(moments: Tensor.zeros([1, 4, 4, 8]))
    var generator = TorchGenerator(seed: 0)
    var same = TorchGenerator(seed: 0)
    let sample = posterior.sample(using: &generator)
    let noise = Tensor.randn([1, 4, 4, 4], using: &same)
    #expect(sample.transposed([0, 3, 1, 2]).values == noise.values)
    #expect(generator == same)
  }

  @Test func divergenceFromItselfIsZero() {
    expectClose(
      DiagonalGaussian(moments: Tensor.zeros([2, 1, 1, 8])).klDivergence(), [0, 0])
    // Mean 2, variance 1: half the squared mean per number.
    let moments = Tensor([2, 0], [1, 1, 1, 2])
    expectClose(DiagonalGaussian(moments: moments).klDivergence(), [2])
  }
}
