import ComputeCore
import Diffusion
import ImageIO
import Pipelines
import Testing

/// A batch of a Stable Diffusion model is byte for byte what its pictures are alone.
@Suite struct BatchTests {
  private static let prompts = [
    "a (red:1.3) apple", "", "a red apple, BREAK on [the] table",
    String(repeating: "the house and the dog, ", count: 12),
  ]
  private let pipeline: TextToImagePipeline

  init() throws { pipeline = try .load(folder: modelFolder) }

  private func expectSame(_ change: (inout GenerationRequest) throws -> Void) throws {
    var request = try GenerationRequest(
      prompts: Self.prompts, seeds: [7, 8, 9, 10], pipeline.defaults)
    (request.steps, request.guidanceScale, request.likeness) = (5, 6, .a1111)
    request.negativePrompt = "blurry"
    try change(&request)
    let together = try pipeline.generate(request)
    #expect(Set(together).count == 4)
    for index in Self.prompts.indices {
      var single = request
      (single.prompts, single.seeds) = ([request.prompts[index]], [request.seeds[index]])
      #expect(try pipeline.generate(single) == [together[index]], "picture \(index)")
    }
  }

  @Test(
    arguments: [
      "dpmpp_2m_karras", "ddim", "euler_ancestral", "dpmpp_2s_ancestral", "dpmpp_sde_karras",
      "dpmpp_2m_sde", "dpmpp_3m_sde_exponential",
    ], [Likeness.a1111, .a1111CPU, .diffusers])
  func fourPicturesAreTheSameAlone(_ sampler: String, _ likeness: Likeness) throws {
    try expectSame {
      $0.likeness = likeness
      $0.sampler = try SamplerName(parsing: sampler)
    }
  }

  @Test(arguments: MatmulPrecision.allCases, [16, 40])
  func inEveryPrecisionAndSize(_ precision: MatmulPrecision, _ side: Int) throws {
    try Compute.with {
      $0.precision = precision
    } _: {
      try expectSame { ($0.width, $0.height) = (side, side + 10) }
    }
  }

  @Test(arguments: [false, true]) func madeOfAPicture(_ hasMask: Bool) throws {
    let material = try PaintingMaterial()
    try expectSame {
      $0.sampler = try SamplerName(parsing: "dpmpp_2m_sde_karras")
      $0.initial = InitialPicture(
        material.picture, mask: hasMask ? material.mask : nil, strength: 0.7)
    }
  }
}
