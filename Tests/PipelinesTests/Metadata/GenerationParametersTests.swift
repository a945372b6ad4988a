import Diffusion
import Pipelines
import Testing

@Suite struct GenerationParametersTests {
  private typealias Field = GenerationParameters.Field

  private static let fields = [
    Field("Steps", "20"), Field("Sampler", "Euler a"), Field("CFG scale", "7.5"),
    Field("Seed", "18446744073709551615"), Field("Size", "512x768"),
    Field("Model", "a, \"b\": c\\d\nsecond line"), Field("Version", "imgen-0.1.0"),
  ]

  private static let texts = [
    "", "a red apple", "a \"quoted\" word, commas, (weights:1.2), <lora:x:0.8>", "two\nlines\n",
    "\nleading line", "Steps: 20, Sampler: Euler, Seed: 1, Size: 8x8", "x\nSteps: 1, a: 2, b: 3",
    "naïve – 東京 🍎", "back\\slash \\n", "ends with colon:", "trailing \"", "a: b",
  ]

  @Test(arguments: texts, texts)
  func textIsReadBackAsItWas(_ prompt: String, _ negative: String) {
    let parameters = GenerationParameters(
      prompt: prompt, negativePrompt: negative, fields: Self.fields)
    #expect(GenerationParameters(parsing: parameters.text) == parameters)
  }

  @Test(arguments: ["a red apple", "two\nlines"])
  func parametersWithoutFieldsAreReadBack(_ prompt: String) {
    let parameters = GenerationParameters(prompt: prompt, negativePrompt: "dark", fields: [])
    #expect(GenerationParameters(parsing: parameters.text) == parameters)
  }

  /// Written by hand in the layout of `create_infotext`, with what extensions add.
  @Test func textOfTheWebUIIsParsed() {
    let parameters = GenerationParameters(
      parsing: """
        masterpiece, (1girl:1.2), <lora:foo:0.8>
        second line
        Negative prompt: lowres, bad hands
        more of it
        Steps: 20, Sampler: DPM++ 2M, Schedule type: Karras, CFG scale: 7, Seed: 965400086, \
        Size: 512x512, Model hash: 6ce0161689, Model: v1-5-pruned-emaonly, \
        Lora hashes: "foo: 31ac7f2b, bar: 98af", Template: "a\\tb\\n\\"c\\"", Version: v1.9.4
        """)
    #expect(parameters.prompt == "masterpiece, (1girl:1.2), <lora:foo:0.8>\nsecond line")
    #expect(parameters.negativePrompt == "lowres, bad hands\nmore of it")
    #expect(
      parameters.fields.map(\.name) == [
        "Steps", "Sampler", "Schedule type", "CFG scale", "Seed", "Size", "Model hash", "Model",
        "Lora hashes", "Template", "Version",
      ])
    #expect(parameters["Sampler"] == "DPM++ 2M")
    #expect(parameters["Size"] == "512x512")
    #expect(parameters["Lora hashes"] == "foo: 31ac7f2b, bar: 98af")
    #expect(parameters["Template"] == "a\tb\n\"c\"")
    #expect(parameters["Version"] == "v1.9.4")
    #expect(parameters["Clip skip"] == nil)
  }

  @Test func lineEndsOfOtherSystemsAreUnderstood() {
    let text = "a\r\nNegative prompt: b\r\nSteps: 1, Sampler: Euler, Seed: 2"
    let parameters = GenerationParameters(parsing: text)
    #expect(parameters.prompt == "a")
    #expect(parameters.negativePrompt == "b")
    #expect(parameters["Seed"] == "2")
    let ending = GenerationParameters(prompt: "a\r", negativePrompt: "", fields: Self.fields)
    #expect(GenerationParameters(parsing: ending.text).fields == Self.fields)
  }

  @Test(arguments: [
    "", "a", "Steps: 20", "a: b, c: d", "Negative prompt:", ":::", "\"", "a: \"", "a: \"b\\",
    "a: 1, b: 2, c: \"never closed", ", , ,", "Negative prompt: Negative prompt: x",
  ])
  func anyTextIsParsedToSomething(_ text: String) {
    _ = GenerationParameters(parsing: text).text
  }

  @Test func requestIsDescribedAsTheWebUIDoes() throws {
    var request = try GenerationRequest(
      prompts: ["a", "b"], seeds: [7, 8],
      GenerationDefaults(
        steps: 30, guidanceScale: 7, sampler: "dpmpp_2m_karras", width: 64, height: 96))
    request.negativePrompt = "c"
    let text = GenerationParameters(
      request, index: 1, model: "m, n", modelHash: "0123456789", version: "v"
    ).text
    #expect(
      text == """
        b
        Negative prompt: c
        Steps: 30, Sampler: DPM++ 2M, Schedule type: Karras, CFG scale: 7, Seed: 8, Size: 64x96, \
        Model hash: 0123456789, Model: "m, n", RNG: CPU, Version: v
        """)
    request.guidanceScale = 7.5
    request.sampler = SamplerName(.eulerAncestral)
    let plain = GenerationParameters(request, index: 0, model: "m", version: "v")
    #expect(plain["CFG scale"] == "7.5")
    #expect(plain["Sampler"] == "Euler a")
    #expect(plain["Schedule type"] == nil)
    #expect(plain["Seed"] == "7")
  }
}
