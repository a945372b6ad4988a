import ComputeCore
import Diffusion
import Foundation
import ImageIO
import Pipelines
import TestSupport
import Testing

@Suite struct TextToImagePipelineTests {
  private let scratch: ScratchFolder
  private let folder: String
  private let pipeline: TextToImagePipeline

  init() throws {
    scratch = try ScratchFolder()
    folder = try makeTinyModel(in: scratch)
    pipeline = try TextToImagePipeline.load(folder: folder)
  }

  private func request(
    _ prompts: [String] = ["a red apple"], seeds: [UInt64] = [1],
    change: (inout GenerationRequest) -> Void = { _ in }
  ) throws -> GenerationRequest {
    var request = try GenerationRequest(prompts: prompts, seeds: seeds, pipeline.defaults)
    change(&request)
    return request
  }

  private func latents(_ request: GenerationRequest) throws -> [Float] {
    var last: Tensor?
    for step in try pipeline.sampling(request) { last = step.sample }
    return try #require(last).values
  }

  @Test func defaultsAreThoseOfTheFolder() throws {
    #expect(
      pipeline.defaults
        == GenerationDefaults(steps: 4, guidanceScale: 3, sampler: "ddim", width: 16, height: 16))
    #expect(pipeline.name == "model")
    let picture = try pipeline.generate(request())[0]
    #expect((picture.width, picture.height) == (16, 16))
    #expect(Set(picture.pixels).count > 20, "the picture is not flat")
  }

  @Test(arguments: ["ddim", "ddpm", "euler", "euler_ancestral", "dpmpp_2m_karras"])
  func aBatchIsItsPicturesAlone(_ sampler: String) throws {
    let (prompts, seeds): ([String], [UInt64]) = (
      ["a red apple", "", "the sea, at dusk"], [3, 1, 3]
    )
    let name = try SamplerName(parsing: sampler)
    let together = try pipeline.generate(request(prompts, seeds: seeds) { $0.sampler = name })
    #expect(Set(together).count == 3)
    for index in prompts.indices {
      let alone = try pipeline.generate(
        request([prompts[index]], seeds: [seeds[index]]) { $0.sampler = name })
      #expect(alone == [together[index]], "picture \(index)")
    }
  }

  @Test(arguments: MatmulPrecision.allCases)
  func pixelsDependNeitherOnThreadsNorOnWhatWasDrawnBefore(_ precision: MatmulPrecision) throws {
    let request = try request(["a", "b"], seeds: [1, 2])
    func pictures(threads: Int) throws -> [Image] {
      try Compute.with {
        ($0.threads, $0.precision) = (threads, precision)
      } _: {
        try pipeline.generate(request)
      }
    }
    let first = try pictures(threads: 1)
    #expect(try pictures(threads: 2) == first)
    #expect(try pictures(threads: 1) == first)
  }

  @Test func guidanceOfOneIsTheConditionalModel() throws {
    let plain = try latents(request { $0.guidanceScale = 1 })
    let other = try latents(
      request {
        $0.guidanceScale = 1
        $0.negativePrompt = "something else"
      })
    #expect(plain == other, "the negative prompt plays no role")
    let nearly = try latents(request { $0.guidanceScale = 1.00001 })
    for (a, b) in zip(plain, nearly) { #expect(abs(a - b) < 1e-3) }
    let strong = try latents(request { $0.guidanceScale = 5 })
    let negative = try latents(
      request {
        $0.guidanceScale = 5
        $0.negativePrompt = "something else"
      })
    #expect(strong != plain)
    #expect(strong != negative)
  }

  @Test func guidanceOfZeroIsTheModelOfTheNegativePrompt() throws {
    let found = try latents(
      request(["a red apple"]) {
        $0.guidanceScale = 0
        $0.negativePrompt = "a dog"
        $0.likeness = .comfyUI
      })
    let expected = try latents(
      request(["a dog"]) {
        $0.guidanceScale = 1
        $0.likeness = .comfyUI
      })
    for (a, b) in zip(found, expected) { #expect(abs(a - b) < 1e-4) }
  }

  @Test func diffusersDoesNotGuideBelowOne() throws {
    let plain = try latents(request { $0.guidanceScale = 1 })
    for scale: Float in [0, 0.5] {
      let found = try latents(
        request {
          $0.guidanceScale = scale
          $0.negativePrompt = "something else"
        })
      #expect(found == plain)
    }
  }

  @Test func badRequestsSayWhatWouldDo() throws {
    func refusal(_ change: (inout GenerationRequest) -> Void) throws -> String {
      let request = try request(change: change)
      let text = message { _ = try pipeline.generate(request) }
      #expect(!text.contains("\n"))
      return text
    }
    #expect(
      try refusal { $0.width = 17 }
        == "the width is 17, expected a multiple of 2 up to 4096; try 18")
    #expect(
      try refusal { $0.height = 0 }
        == "the height is 0, expected a multiple of 2 up to 4096; try 2")
    #expect(try refusal { $0.width = -5 }.hasSuffix("try 2"))
    #expect(try refusal { $0.width = .max }.hasSuffix("try 4096"))
    #expect(try refusal { $0.width = .min }.hasSuffix("try 2"))
    #expect(try refusal { $0.steps = 0 } == "cannot sample in 0 steps; use 1 to 1000")
    #expect(try refusal { $0.steps = 1001 } == "cannot sample in 1001 steps; use 1 to 1000")
    #expect(try refusal { $0.guidanceScale = .nan } == "the guidance is nan, expected 0 to 50")
    #expect(try refusal { $0.guidanceScale = -1 } == "the guidance is -1.0, expected 0 to 50")
    #expect(try refusal { $0.guidanceRescale = 2 }.contains("expected 0 to 1"))
    #expect(try refusal { $0.seeds = [1, 2] }.contains("1 prompts and 2 seeds"))
    #expect(try refusal { $0.prompts = [] }.contains("0 prompts"))
    #expect(
      try refusal { $0.sampler = SamplerName(.ddim, .karras) }.contains("ddim"))
  }

  @Test func aSavedModelDrawsTheSamePicture() throws {
    let request = try request(["a red apple", "a boat"], seeds: [1, 2])
    let before = try pipeline.generate(request)
    let copy = scratch("copies/copy")
    try FileManager.default.createDirectory(
      atPath: scratch("copies"), withIntermediateDirectories: true)
    for _ in 0..<2 {  // the second time the folder is there
      try pipeline.save(folder: copy, copyingFrom: folder)
      let loaded = try TextToImagePipeline.load(folder: copy)
      #expect(loaded.defaults == pipeline.defaults)
      #expect(loaded.scheduler == pipeline.scheduler)
      let after = try loaded.generate(request)
      for (a, b) in zip(before, after) {
        let worst = zip(a.pixels, b.pixels).map { abs(Int($0) - Int($1)) }.max()
        #expect(try #require(worst) <= 3, "half precision moves grey levels by very little")
      }
    }
    #expect(try scratch.names(in: "copies") == ["copy"])
  }
}
