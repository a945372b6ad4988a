import ComputeCore
import Diffusion
import Foundation
import ImageIO
import Pipelines
import TestSupport
import Testing
import Tokenizers

/// Weights and long prompts against a restatement of the rules in Python.
@Suite struct PromptChunkTests {
  static let names = (try? Fixture("prompts"))?.cases.map(\.name) ?? []

  private let pipeline: TextToImagePipeline
  private let tokenizer: CLIPTokenizer

  init() throws {
    pipeline = try TextToImagePipeline.load(folder: modelFolder)
    tokenizer = try CLIPTokenizer.load(folder: URL(fileURLWithPath: modelFolder + "/tokenizer"))
  }

  @Test func thereAreCases() { #expect(Self.names.count >= 24) }

  @Test(arguments: names) func chunksAndStates(_ name: String) throws {
    let item = try #require(try Fixture("prompts").cases.first { $0.name == name })
    let prompt: String = try item.parameter("prompt")
    let rule: PromptReading.Rule = try item.parameter("rule") == "a1111" ? .a1111 : .comfyUI
    let chunks = PromptChunk.chunks(of: prompt, rule, tokenizer)
    #expect(chunks.flatMap(\.ids) == (try item.integers("ids")))
    let weights = try item.tensor("weights").values
    try #require(chunks.flatMap(\.weights).count == weights.count)
    for (found, expected) in zip(chunks.flatMap(\.weights), weights) {
      #expect(abs(found - expected) < 1e-6)
    }
    let states = pipeline.conditioner.encode([prompt], PromptReading(rule)).states
    expectClose(states.sliced(axis: 2, 0..<3), try item.tensor("states"), tolerance: 1e-4)
  }

  @Test func shorterTextsAreFilledUpUnseen() throws {
    let reading = PromptReading(.a1111)
    let texts = ["a", "a BREAK b", "a"]
    let together = pipeline.conditioner.encode(texts, reading)
    let mask = try #require(together.mask)
    #expect(together.states.shape == [3, 154, 16])
    let (seen, unseen) = ([Float](repeating: 1, count: 77), [Float](repeating: 0, count: 77))
    #expect(mask.values == seen + unseen + seen + seen + seen + unseen)
    let alone = pipeline.conditioner.encode(["a"], reading)
    #expect(alone.mask == nil)
    let last = together.states.sliced(axis: 0, 2..<3).sliced(axis: 1, 0..<77)
    #expect(last.values == alone.states.values)
  }

  @Test(arguments: [Likeness.a1111, .comfyUI])
  func aBatchOfUnequalLengthsIsItsPicturesAlone(_ likeness: Likeness) throws {
    let long = Array(repeating: "house", count: 90).joined(separator: " ")
    func request(_ prompts: [String], _ seeds: [UInt64]) throws -> GenerationRequest {
      var request = try GenerationRequest(prompts: prompts, seeds: seeds, pipeline.defaults)
      (request.likeness, request.steps, request.negativePrompt) = (likeness, 3, "(dark:1.2)")
      return request
    }
    // ComfyUI draws a batch from its first seed, so only the first picture is the same.
    let together = try pipeline.generate(request([long, "(red:1.4) apple"], [3, 4]))
    let alone = try pipeline.generate(request([long], [3]))[0]
    let worst = zip(together[0].pixels, alone.pixels).map { abs(Int($0) - Int($1)) }.max()
    #expect(try #require(worst) <= 1)
    #expect(together[0] != together[1])
  }

  @Test func literalPromptsKeepTheirBrackets() throws {
    let chunks = PromptChunk.chunks(of: "(red:1.3)", .literal, tokenizer)
    #expect(chunks.map(\.ids) == [tokenizer.encode("(red:1.3)").ids])
    #expect(chunks[0].weights.allSatisfy { $0 == 1 })
    let conditioner = pipeline.conditioner
    let long = Array(repeating: "house", count: 90).joined(separator: " ")
    #expect(conditioner.truncatedCount(long, PromptReading()) > 0)
    #expect(conditioner.truncatedCount(long, PromptReading(.a1111)) == 0)
  }
}

@Suite struct WeightedTextTests {
  private static func text(_ text: String, _ weight: Float = 1) -> WeightedText {
    WeightedText(text, weight)
  }

  static let a1111Cases: [(String, [WeightedText])] = [
    ("", [text("")]),
    ("a (b) [c]", [text("a "), text("b", 1.1), text(" "), text("c", 0.909091)]),
    ("(a:1.5 )", [text("a", 1.5)]),
    ("((a))", [text("a", 1.21)]),
    (#"\(a\)"#, [text("(a)")]),
    ("a)b]:", [text("a)b]:")]),
    ("(a", [text("a", 1.1)]),
    ("a BREAK b", [text("a"), .chunkBreak, text("b")]),
    ("BREAKER", [text("BREAKER")]),
  ]

  @Test(arguments: a1111Cases) func a1111(_ prompt: String, _ expected: [WeightedText]) {
    expectEqual(WeightedText.a1111(prompt), expected)
  }

  static let comfyUICases: [(String, [WeightedText])] = [
    ("", []),
    ("a (b:2) (c)", [text("a "), text("b", 2), text(" "), text("c", 1.1)]),
    ("((a:2) b)", [text("a", 2), text(" b", 1.1)]),
    ("[a] BREAK", [text("[a] BREAK")]),
    (#"\(a\)"#, [text("(a)")]),
  ]

  @Test(arguments: comfyUICases) func comfyUI(_ prompt: String, _ expected: [WeightedText]) {
    expectEqual(WeightedText.comfyUI(prompt), expected)
  }

  private func expectEqual(_ found: [WeightedText], _ expected: [WeightedText]) {
    #expect(found.map(\.text) == expected.map(\.text))
    #expect(found.map(\.isBreak) == expected.map(\.isBreak))
    for (a, b) in zip(found, expected) { #expect(abs(a.weight - b.weight) < 1e-5) }
  }

  /// Whatever is typed, something is read.
  @Test func strangePromptsAreRead() {
    var generator = TorchGenerator(seed: 1)
    let letters = Array("()[]:\\ aB1.-,\n\u{0}é<>")
    for _ in 0..<3000 {
      let prompt = String((0..<12).map { _ in letters.randomElement(using: &generator) ?? "a" })
      #expect(!WeightedText.a1111(prompt).isEmpty)
      _ = WeightedText.comfyUI(prompt)
    }
  }
}
