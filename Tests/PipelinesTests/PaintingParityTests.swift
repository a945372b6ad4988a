import Diffusion
import ImageIO
import Pipelines
import TestSupport
import Testing

/// Pictures made of a picture, against diffusers with the same seed.
@Suite struct PaintingParityTests {
  static let names = (try? Fixture("painting"))?.cases.map(\.name) ?? []

  private let fixture: Fixture
  private let material: PaintingMaterial
  private let pipeline: TextToImagePipeline

  init() throws {
    fixture = try Fixture("painting")
    material = try PaintingMaterial()
    let loaded = try TextToImagePipeline.load(folder: modelFolder)
    var scheduler = loaded.scheduler
    scheduler.skipPrkSteps = true
    pipeline = loaded.with(scheduler)
  }

  @Test func thereAreCases() { #expect(Self.names.count > 15) }

  @Test(arguments: names) func picturesEqualDiffusers(_ name: String) throws {
    let item = try #require(fixture.cases.first { $0.name == name })
    let kind: String = try item.parameter("kind")
    let model = kind == "nine" ? try pipeline.forInpainting() : pipeline
    var request = try item.request(kind, for: model, material)
    if item.name == "text_rescaled" {
      request.guidanceRescale = try item.float("guidance_rescale")
    }
    request.clipSkip = item.int("clip_skip", otherwise: 0) + 1
    let found = try PictureDifference(model.generate(request)[0], item.integers("picture"))
    #expect(found.isSmall, "\(found.worst) grey levels, mean \(found.mean)")
  }

  @Test func anInpaintingModelNeedsAMask() throws {
    let model = try pipeline.forInpainting()
    var request = try GenerationRequest(prompts: ["a"], seeds: [1], pipeline.defaults)
    #expect(message { try model.validate(request) }.contains("needs a picture and a mask"))
    request.initial = InitialPicture(material.picture, strength: 1)
    #expect(message { try model.validate(request) }.contains("needs a picture and a mask"))
  }

  @Test func whatTheMaskKeepsStays() throws {
    var request = try GenerationRequest(prompts: ["a"], seeds: [1], pipeline.defaults)
    request.steps = 4
    let black = Image(width: 3, height: 3, color: .init(0, 0, 0))
    request.initial = InitialPicture(material.picture, mask: black, strength: 1)
    let first = try pipeline.generate(request)
    request.prompts = ["something else"]
    #expect(try pipeline.generate(request) == first)
    request.initial?.mask = Image(width: 3, height: 3)
    #expect(try pipeline.generate(request) != first)
  }

  @Test(arguments: [Likeness.diffusers, .a1111, .comfyUI])
  func strengthLeavesAsManyStepsAsThePeerTakes(_ likeness: Likeness) throws {
    var request = try GenerationRequest(prompts: ["a"], seeds: [1], pipeline.defaults)
    (request.likeness, request.steps) = (likeness, 20)
    request.initial = InitialPicture(material.picture, strength: 0.5)
    let taken = Array(try pipeline.sampling(request))
    #expect(taken.count == (likeness == .a1111 ? 11 : likeness == .comfyUI ? 20 : 10))
    #expect(taken.last.map { $0.index + 1 == $0.count } == true)
  }

  @Test(arguments: [0, -1, 1.5, .nan]) func strengthsThatMakeNoSense(_ strength: Double) throws {
    var request = try GenerationRequest(prompts: ["a"], seeds: [1], pipeline.defaults)
    request.initial = InitialPicture(material.picture, strength: strength)
    #expect(message { try pipeline.validate(request) }.contains("expected above 0 up to 1"))
    request.initial?.strength = 0.001
    #expect(message { try pipeline.validate(request) }.contains("leaves none of"))
  }
}
