import ComputeCore
import Diffusion
import ImageIO
import Models
import Pipelines
import TestSupport
import Testing

@Suite struct PreviewTests {
  /// Of a step that ends at the clean picture, the estimate is the result.
  @Test func previewsShowTheEstimateOfTheCleanPicture() throws {
    let scratch = try ScratchFolder()
    let pipeline = try TextToImagePipeline.load(folder: makeTinyModel(in: scratch))
    let request = try GenerationRequest(prompts: ["a", "b"], seeds: [1, 2], pipeline.defaults)
    let steps = Array(try pipeline.sampling(request))
    let last = try #require(steps.last)
    #expect(try #require(pipeline.previews(last)) == pipeline.pictures(last.sample))
    #expect(try #require(pipeline.previews(steps[0])) == pipeline.pictures(steps[0].denoised))
  }

  @Test func previewsOfLatentsHaveTheSizeOfThePicture() throws {
    let pipeline = try TextToImagePipeline.load(folder: modelFolder)
    let request = try GenerationRequest(prompts: ["a"], seeds: [1], pipeline.defaults)
    for step in try pipeline.sampling(request) {
      let picture = try #require(pipeline.previews(step))[0]
      #expect((picture.width, picture.height) == (request.width, request.height))
    }
  }

  /// ComfyUI's table: what the first channel adds to red, green and blue, and so on.
  @Test func latentsHaveTheColorsOfTheTable() throws {
    let codec = try TextToImagePipeline.load(folder: modelFolder).codec
    let identity = Tensor((0..<16).map { $0 % 5 == 0 ? 1 : 0 }, [1, 2, 2, 4])
    let table = [
      0.3512, 0.2297, 0.3227, 0.3250, 0.4974, 0.2350, -0.2829, 0.1762, 0.2721, -0.2120, -0.2616,
      -0.7177,
    ]
    expectClose(try #require(codec.preview(identity)), table, tolerance: 1e-6)
  }

  @Test func latentsOfAnotherKindHaveNoPreview() throws {
    var config = AutoencoderConfig()
    (config.blockOutChannels, config.latentChannels) = ([32], 16)
    let codec = AutoencoderCodec(try AutoencoderKL(config))
    #expect(codec.preview(Tensor.zeros([1, 2, 2, 16])) == nil)
  }
}
