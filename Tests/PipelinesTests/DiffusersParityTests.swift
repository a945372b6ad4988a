import ComputeCore
import Diffusion
import Foundation
import ImageIO
import Pipelines
import TestSupport
import Testing

/// A whole Stable Diffusion pipeline against diffusers: tokenizer, CLIP, U-Net, guidance, solver
/// and autoencoder, with the same seed.
@Suite struct DiffusersParityTests {
  @Test func latentsAndPicturesEqualDiffusers() throws {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("Fixtures/stable_diffusion").path
    let pipeline = try TextToImagePipeline.load(folder: folder)
    #expect(pipeline.defaults.width == 16)
    for item in try Fixture("pictures").cases {
      var request = try GenerationRequest(
        prompts: [item.parameter("prompt")], seeds: [UInt64(item.int("seed"))], pipeline.defaults)
      request.negativePrompt = try item.parameter("negative_prompt")
      request.steps = item.int("num_inference_steps")
      request.guidanceScale = try item.float("guidance_scale")
      request.sampler = try SamplerName(parsing: item.name.hasPrefix("euler") ? "euler" : "ddim")
      request.width = item.int("width", otherwise: 16)
      request.height = item.int("height", otherwise: 16)
      var latents: Tensor?
      for step in try pipeline.sampling(request) { latents = step.sample }
      let found = try #require(latents)
      expectClose(found, try item.tensor("latents"), tolerance: 1e-4, "\(item.name).latents")
      let picture = pipeline.pictures(found)[0]
      let expected = try item.integers("picture")
      #expect(picture.pixels.count == expected.count)
      let worst = zip(picture.pixels, expected).map { abs(Int($0) - Int($1)) }.max() ?? 0
      #expect(worst <= 1, "\(item.name): grey levels differ by \(worst)")
    }
  }
}
