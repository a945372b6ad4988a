import Diffusion
import Pipelines
import Testing

@Suite struct HiresParametersTests {
  private func request(_ hires: HiresPass?) throws -> GenerationRequest {
    var request = try GenerationRequest(
      prompts: ["a"], seeds: [7],
      GenerationDefaults(steps: 30, guidanceScale: 7, sampler: "euler", width: 64, height: 96))
    request.hires = hires
    return request
  }

  @Test func aSecondPassIsDescribedAsTheWebUIDoes() throws {
    let hires = HiresPass(scale: 1.5, steps: 12, strength: 0.45, upscaler: .latent)
    let text = GenerationParameters(try request(hires), index: 0, model: "m", version: "v").text
    #expect(
      text == """
        a
        Steps: 30, Sampler: Euler, CFG scale: 7, Seed: 7, Size: 64x96, Model: m, \
        Denoising strength: 0.45, RNG: CPU, Hires upscale: 1.5, Hires steps: 12, \
        Hires upscaler: Latent, Version: v
        """)
  }

  @Test(arguments: [
    nil, HiresPass(scale: 2), HiresPass(scale: 1.5, steps: 7, strength: 0.33, upscaler: .lanczos),
    HiresPass(scale: 1.1, strength: 1),
  ])
  func whatIsWrittenIsReadBack(_ hires: HiresPass?) throws {
    let text = GenerationParameters(try request(hires), index: 0, model: "m", version: "v").text
    #expect(try GenerationParameters(parsing: text).hiresPass() == hires)
  }

  @Test func textOfTheWebUIIsRead() throws {
    let text = """
      x
      Steps: 20, Sampler: Euler, CFG scale: 7, Seed: 1, Size: 512x512, Denoising strength: 0.55, \
      Hires upscale: 2, Hires upscaler: Latent, Version: v1.9.4
      """
    #expect(
      try GenerationParameters(parsing: text).hiresPass() == HiresPass(scale: 2, strength: 0.55))
  }

  @Test(arguments: [
    ("Hires upscale: 2, Hires upscaler: R-ESRGAN 4x+", "4x+, known are Latent and Lanczos"),
    ("Hires upscale: large", "Hires upscale is \"large\", expected a number"),
    ("Hires upscale: 2, Hires steps: 1.5", "expected a whole number"),
    ("Hires resize: 900x700", "900x700, which is not known"),
  ])
  func whatIsNotKnownIsRefused(_ fields: String, _ expected: String) {
    let parameters = GenerationParameters(parsing: "a\nSteps: 1, Seed: 2, Size: 8x8, \(fields)")
    #expect(message { _ = try parameters.hiresPass() }.contains(expected))
  }
}
