import Checkpoints
import Diffusion
import ImageIO
import Pipelines
import TestSupport
import Testing

/// How far a picture is from the one that diffusers drew, in grey levels.
struct PictureDifference {
  let worst: Int
  let mean: Double

  /// Both pictures as three numbers per pixel.
  init(_ picture: Image, _ expected: [Int32]) throws {
    try #require(picture.pixels.count == expected.count)
    let differences = zip(picture.pixels, expected).map { abs(Int($0) - Int($1)) }
    worst = differences.max() ?? 0
    mean = Double(differences.reduce(0, +)) / Double(max(1, differences.count))
  }

  /// Whether the pictures are the same but for rounding.
  var isSmall: Bool { worst <= 2 && mean <= 0.1 }
}

/// The picture and the mask that `scripts/fixtures/pipeline_painting.py` paints with.
struct PaintingMaterial {
  let picture: Image
  let mask: Image

  init() throws {
    let file = try SafetensorsFile(fixtureFolder + "/painting.safetensors")
    func image(_ name: String) throws -> Image {
      let shape = try #require(file.shape(of: name))
      return Image(
        width: shape[1], height: shape[0], pixels: try file.int32s(name).map(UInt8.init))
    }
    (picture, mask) = (try image("init"), try image("mask"))
  }
}

extension Fixture.Case {
  /// What diffusers was asked for.
  ///
  /// - Parameters:
  ///   - task: `text`, `img2img` or `inpaint`.
  ///   - pipeline: the model.
  ///   - material: what is painted with.
  /// - Returns: the request.
  /// - Throws: when a parameter is missing.
  func request(
    _ task: String, for pipeline: TextToImagePipeline, _ material: PaintingMaterial
  ) throws -> GenerationRequest {
    var request = try GenerationRequest(
      prompts: [parameter("prompt")], seeds: [UInt64(int("seed"))], pipeline.defaults)
    request.negativePrompt = try parameter("negative_prompt")
    request.steps = int("num_inference_steps")
    request.guidanceScale = try float("guidance_scale")
    request.sampler = try SamplerName(parsing: parameter("sampler"))
    (request.width, request.height) = (int("width"), int("height"))
    if task != "text" {
      request.initial = InitialPicture(
        material.picture, mask: task == "img2img" ? nil : material.mask,
        strength: try parameter("strength"))
    }
    return request
  }
}
