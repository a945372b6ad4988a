import ComputeCore
import Diffusion
import ImageIO
import Models
import Pipelines
import TestSupport
import Testing

/// A second pass against the two passes made by hand.
@Suite struct HiresPassTests {
  private let scratch: ScratchFolder
  /// Works on pixels.
  private let tiny: TextToImagePipeline
  /// Has an autoencoder.
  private let latent: TextToImagePipeline

  init() throws {
    scratch = try ScratchFolder()
    tiny = try TextToImagePipeline.load(folder: makeTinyModel(in: scratch))
    latent = try TextToImagePipeline.load(folder: modelFolder)
  }

  private func request(
    _ pipeline: TextToImagePipeline, _ hires: HiresPass, _ change: (inout GenerationRequest) -> Void
  ) throws -> GenerationRequest {
    var request = try GenerationRequest(
      prompts: ["a red apple", "the sea"], seeds: [3, 8], pipeline.defaults)
    (request.width, request.height, request.steps) = (16, 24, 4)
    request.sampler = SamplerName(.euler)
    request.hires = hires
    change(&request)
    return request
  }

  private func last(_ sampling: Sampling?) throws -> Tensor {
    var found: Tensor?
    for step in try #require(sampling) { found = step.sample }
    return try #require(found)
  }

  @Test(arguments: [false, true], [Likeness.diffusers, .comfyUI])
  func lanczosIsImg2imgOfTheEnlargedPicture(_ isLatent: Bool, _ likeness: Likeness) throws {
    let pipeline = isLatent ? latent : tiny
    var hires = HiresPass(scale: 1.75, steps: 6, strength: 0.5, upscaler: .lanczos)
    if isLatent { hires.steps = nil }
    let request = try request(pipeline, hires) { request in
      request.likeness = likeness
      // ComfyUI draws a batch from its first seed.
      if likeness == .comfyUI { (request.prompts, request.seeds) = (["the sea"], [8]) }
    }
    let pictures = try pipeline.generate(request)
    for index in request.seeds.indices {
      var first = request
      (first.prompts, first.seeds) = ([request.prompts[index]], [request.seeds[index]])
      first.hires = nil
      var second = first
      (second.width, second.height, second.steps) = (28, 42, hires.steps ?? 4)
      second.initial = InitialPicture(try pipeline.generate(first)[0], strength: 0.5)
      #expect(try pipeline.generate(second)[0] == pictures[index])
    }
  }

  @Test(arguments: [Likeness.diffusers, .a1111, .a1111CPU])
  func latentsAreEnlargedAndGivenNoiseAnew(_ likeness: Likeness) throws {
    let request = try request(latent, HiresPass(scale: 2, steps: 5, strength: 0.6)) {
      $0.likeness = likeness
    }
    let small = try last(latent.sampling(request))
    let found = try last(latent.secondSampling(request, from: small))
    let sampler = try Sampler(request.sampler, latent.scheduler, like: likeness)
    // 5 of Int(5 / 0.6) steps, or Int(5 · 0.6) of 5.
    let isA1111 = likeness != .diffusers
    let whole = try sampler.timetable(steps: isA1111 ? 8 : 5)
    let steps = whole.suffix(strength: isA1111 ? 5.5 / 8 : 0.6)
    #expect(steps.transitions.count == (isA1111 ? 5 : 3))
    var noise = sampler.noise(seeds: request.seeds, whole)
    let enlarged = bilinearResized(small, height: 24, width: 16)
    let start = steps.start(from: enlarged, noise.noise([2, 24, 16, 4]))
    var large = request
    (large.width, large.height) = (32, 48)
    let expected = try last(
      sampler.sampling(
        steps, from: start, noise: noise, model: latent.guidedModel(large, beside: nil)))
    #expect(found.values == expected.values)
    #expect(try latent.generate(request) == latent.pictures(found))
  }

  @Test(arguments: [Likeness.diffusers, .a1111, .comfyUI])
  func stepsAreCountedAsThePeerDoes(_ likeness: Likeness) throws {
    let request = try request(latent, HiresPass(scale: 2, steps: 10, strength: 0.7)) {
      $0.likeness = likeness
    }
    let counts = try latent.stepCounts(request)
    #expect(counts == [4, likeness == .diffusers ? 7 : 10])
    let small = try last(latent.sampling(request))
    let taken = Array(try #require(try latent.secondSampling(request, from: small)))
    #expect(taken.count == counts[1])
    #expect(taken.last.map { $0.index + 1 == $0.count } == true)
    #expect(taken.last?.count == (likeness == .diffusers ? 10 : 14))
    #expect(taken.last?.sample.shape == [2, 24, 16, 4])
  }

  @Test func sidesAreRoundedDownToWhatTheCodecMakes() throws {
    let request = try request(latent, HiresPass(scale: 1.3, strength: 0.5)) { _ in }
    let picture = try latent.generate(request)[0]
    #expect((picture.width, picture.height) == (20, 30))  // of 20.8 and 31.2
  }

  @Test func passesThatCannotBeMadeSayWhatWouldDo() throws {
    func refusal(
      _ pipeline: TextToImagePipeline, _ hires: HiresPass,
      _ change: (inout GenerationRequest) -> Void = { _ in }
    ) throws -> String {
      let request = try request(pipeline, hires, change)
      return message { try pipeline.validate(request) }
    }
    #expect(try refusal(latent, HiresPass(scale: 1)).contains("expected above 1 up to 8"))
    #expect(try refusal(latent, HiresPass(scale: .nan)).contains("expected above 1 up to 8"))
    #expect(
      try refusal(latent, HiresPass(scale: 2, strength: 0)).contains("expected above 0 up to 1"))
    #expect(try refusal(tiny, HiresPass(scale: 2)).contains("use the upscaler lanczos"))
    #expect(
      try refusal(latent, HiresPass(scale: 2)) { $0.width = 4000 }
        .contains("8000, expected a multiple"))
    #expect(
      try refusal(latent, HiresPass(scale: 2)) {
        $0.initial = InitialPicture(Image(width: 8, height: 8), strength: 1)
      }.contains("words alone"))
    #expect(
      try refusal(latent, HiresPass(scale: 2, steps: 3, strength: 0.1))
        .contains("leaves none of 3"))
    #expect(
      try refusal(latent, HiresPass(scale: 2, steps: 9, strength: 1e-6)) { $0.likeness = .a1111 }
        .contains("cannot sample"))
  }
}
