import Diffusion
import Pipelines
import Testing

@Suite struct GenerationRecordTests {
  private static let samplers = SamplerName.all

  /// Whatever is asked for is read back from what is written.
  @Test(arguments: Likeness.allCases)
  func requestsAreReadBack(_ likeness: Likeness) throws {
    for (index, sampler) in Self.samplers.enumerated() {
      var request = try GenerationRequest(
        prompts: ["first", "a (red:1.2) apple,\nNegative: none"], seeds: [0, .max - UInt64(index)],
        GenerationDefaults(
          steps: 7 + index, guidanceScale: 7.3, sampler: "euler", width: 512, height: 768))
      request.sampler = sampler
      request.negativePrompt = index % 2 == 0 ? "" : "blue, \"dark\""
      request.clipSkip = 1 + index % 3
      request.guidanceRescale = index % 2 == 0 ? 0 : 0.7
      request.likeness = likeness
      let text = GenerationParameters(
        request, index: 1, model: "m", modelHash: "0123456789",
        origin: [.init("LoRA", "a.safetensors:0.8"), .init("Precision", "bf16")],
        version: "imgen-9"
      ).text
      let record = try #require(try GenerationRecord(text: ["parameters": text]))
      #expect(record.author == .imgen && record.notReproduced.isEmpty)
      #expect(record["LoRA"] == "a.safetensors:0.8" && record["Precision"] == "bf16")
      let read = try GenerationRequest(record)
      #expect(read.prompts == [request.prompts[1]] && read.seeds == [request.seeds[1]])
      #expect(read.negativePrompt == request.negativePrompt)
      #expect(read.sampler == sampler && read.steps == request.steps)
      #expect(read.guidanceScale == 7.3 && read.guidanceRescale == request.guidanceRescale)
      #expect((read.width, read.height) == (512, 768))
      #expect(read.clipSkip == request.clipSkip && read.likeness == likeness)
      #expect(try record.strength() == nil)
    }
  }

  private static let web = """
    a cat
    Negative prompt: a dog
    Steps: 20, Sampler: DPM++ 2M, Schedule type: Karras, CFG scale: 6.5, Seed: 965400086, \
    Size: 512x640, Model hash: 6ce0161689, Model: v1-5-pruned, Clip skip: 2
    """

  @Test(arguments: [
    ("", Likeness.a1111), (", RNG: NV", .a1111), (", RNG: CPU", .a1111CPU),
    (", RNG: CPU, Version: v1.9.4", .a1111CPU), (", Version: v1.10.1", .a1111),
  ])
  func textOfTheWebUIBecomesARequest(_ ending: String, _ likeness: Likeness) throws {
    let record = try #require(try GenerationRecord(text: ["parameters": Self.web + ending]))
    #expect(record.author == .a1111 && record.notReproduced.isEmpty)
    let request = try GenerationRequest(record)
    #expect(request.likeness == likeness && request.clipSkip == 2)
    #expect(request.sampler == SamplerName(.dpmpp2M, .karras))
    #expect(request.steps == 20 && request.guidanceScale == 6.5)
    #expect(request.prompts == ["a cat"] && request.negativePrompt == "a dog")
    #expect(request.seeds == [965_400_086])
    #expect((request.width, request.height) == (512, 640))
  }

  @Test func whatCannotBeDoneIsNamed() throws {
    let text =
      Self.web
      + ", Variation seed: 3, Variation seed strength: 0.2, Denoising strength: 0.55, "
      + "ENSD: 31337, TI hashes: \"easynegative: c74b4e810b03\""
    let record = try #require(try GenerationRecord(text: ["parameters": text]))
    #expect(
      record.notReproduced == [
        "Variation seed: 3", "Variation seed strength: 0.2", "ENSD: 31337",
        "TI hashes: easynegative: c74b4e810b03",
      ])
    #expect(try record.strength() == 0.55)
  }

  @Test(arguments: [
    (
      "Steps: 20", "Steps: many", "\"Steps\" of its parameters is \"many\", expected a whole number"
    ),
    ("Steps: 20, ", "", "have no \"Steps\""),
    ("Sampler: DPM++ 2M, ", "", "have no \"Sampler\""),
    ("Sampler: DPM++ 2M", "Sampler: DPM+- 2M", "unknown sampler \"DPM+- 2M\""),
    ("Schedule type: Karras", "Schedule type: Kurras", "unknown noise schedule \"Kurras\""),
    ("Seed: 965400086", "Seed: -1", "\"-1\", expected a whole number from 0"),
    ("Seed: 965400086, ", "", "have no \"Seed\""),
    ("CFG scale: 6.5", "CFG scale: high", "expected a number"),
    ("Size: 512x640", "Size: 512", "expected width x height, such as 512x768"),
    ("Size: 512x640, ", "", "have no \"Size\""),
    ("Clip skip: 2", "Clip skip: two", "expected a whole number"),
    ("Clip skip: 2", "Like: word, Version: imgen-1", "\"Like\""),
  ])
  func fieldsThatMakeNoSenseAreRefused(_ good: String, _ bad: String, _ words: String) throws {
    let text = Self.web.replacing(good, with: bad)
    let record = try #require(try GenerationRecord(text: ["parameters": text]))
    let error = #expect(throws: MetadataError.self) { _ = try GenerationRequest(record) }
    #expect(error?.description.contains(words) == true, "\(error?.description ?? "")")
  }

  @Test func filesWithoutParametersHaveNoRecord() throws {
    #expect(try GenerationRecord(text: [:]) == nil)
    #expect(try GenerationRecord(text: ["Title": "a", "prompt": "a cat"]) == nil)
  }
}
