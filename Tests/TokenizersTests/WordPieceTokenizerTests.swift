import Foundation
import Testing
import Tokenizers

@Suite struct WordPieceTokenizerTests {
  private func vocabulary() throws -> String {
    try String(contentsOf: Fixture.folder.appendingPathComponent("vocab.txt"), encoding: .utf8)
  }

  @Test func idsMatchTransformers() throws {
    let fixture = try Fixture("bert.json")
    #expect(fixture.texts.count >= 300)
    let tokenizer = try WordPieceTokenizer.load(folder: Fixture.folder)
    #expect(differences(tokenizer, fixture.texts, fixture.ids) == [])
  }

  @Test func paddedIDsAndMasksMatchTransformers() throws {
    let tokenizer = try WordPieceTokenizer.load(folder: Fixture.folder, maxLength: 20)
    for expected in try Fixture("bert.json").padded {
      let encoded = tokenizer.encode(expected.text)
      #expect(encoded.ids == expected.ids)
      #expect(encoded.attentionMask == expected.mask)
    }
  }

  @Test func settingsOfTheFolderMatchTransformers() throws {
    let variants = try #require(try Fixture("bert.json").variants)
    #expect(variants.count == 4)
    for variant in variants {
      let settings = [
        ("do_lower_case", variant.config.doLowerCase),
        ("strip_accents", variant.config.stripAccents),
        ("tokenize_chinese_chars", variant.config.tokenizeChineseChars),
      ]
      let members = settings.map { "\"\($0)\": \($1.map(String.init) ?? "null")" }
        .filter { !$0.hasSuffix("null") || $0.contains("strip") }
      let files = [
        "vocab.txt": try vocabulary(),
        "tokenizer_config.json": "{\(members.joined(separator: ","))}",
      ]
      let tokenizer = try withFolder(files) { try WordPieceTokenizer.load(folder: $0) }
      #expect(differences(tokenizer, variant.texts, variant.ids) == [])
    }
  }

  @Test func tokenizerJSONGivesTheIDsOfVocabTxt() throws {
    let plain = try WordPieceTokenizer.load(folder: Fixture.folder)
    let members = try (0..<Int32(plain.vocabularySize)).map { id in
      let token = try #require(plain.token(for: id))
      let escaped = token.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
      return "\"\(escaped)\":\(id)"
    }
    let json = """
      {"normalizer": {"type": "BertNormalizer", "strip_accents": null, "lowercase": true},
       "model": {"type": "WordPiece", "vocab": {\(members.joined(separator: ","))}}}
      """
    let loaded = try withFolder(["tokenizer.json": json]) {
      try WordPieceTokenizer.load(folder: $0)
    }
    for text in try Fixture("bert.json").texts {
      #expect(loaded.encode(text) == plain.encode(text))
    }
  }

  @Test func tokensThatAreOnlyCanonicallyEquivalentStayApart() throws {
    let tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "\u{2126}", "\u{3A9}"]
    let members = tokens.enumerated().map { "\"\($1)\": \($0)" }.joined(separator: ",")
    let files = [
      "tokenizer.json": "{\"model\": {\"vocab\": {\(members)}}}",
      "tokenizer_config.json": "{\"do_lower_case\": false}",
    ]
    let tokenizer = try withFolder(files) { try WordPieceTokenizer.load(folder: $0) }
    #expect(tokenizer.contentIDs("\u{2126} \u{3A9}") == [5, 6])
  }

  @Test func aLongTextTakesNoQuadraticTime() throws {
    let tokenizer = try WordPieceTokenizer.load(folder: Fixture.folder)
    let clock = ContinuousClock()
    for unit in ["a", "a ", "é ", "漢", "🙂", "unaffable ", "[", "[MASK]", "e\u{301}\u{323}"] {
      let text = String(repeating: unit, count: 100_000 / unit.utf8.count)
      let elapsed = clock.measure { #expect(!tokenizer.contentIDs(text).isEmpty) }
      #expect(elapsed < .seconds(2), "\(unit): \(elapsed)")
    }
  }

  @Test func brokenFoldersSayWhatIsWrong() throws {
    func error(_ files: [String: String]) throws -> String {
      try withFolder(files) { folder in
        let error = #expect(throws: TokenizerError.self) {
          try WordPieceTokenizer.load(folder: folder)
        }
        return error.map { "\($0)" } ?? ""
      }
    }
    #expect(try error([:]).contains("expected vocab.txt or tokenizer.json"))
    #expect(try error(["vocab.txt": "[PAD]\n[UNK]\n"]).contains("no token \"[CLS]\""))
    #expect(try error(["tokenizer.json": "[]"]).contains("no model.vocab"))
    #expect(try error(["tokenizer.json": "nul"]).contains("not JSON at byte 0"))
  }
}
