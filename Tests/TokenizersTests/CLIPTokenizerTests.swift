import Foundation
import Testing
import Tokenizers

@Suite struct CLIPTokenizerTests {
  @Test func idsMatchTransformers() throws {
    let fixture = try Fixture("clip.json")
    #expect(fixture.texts.count >= 300)
    #expect(differences(try CLIPTokenizer.bundled(), fixture.texts, fixture.ids) == [])
  }

  @Test func paddedIDsAndMasksMatchTransformers() throws {
    let fixture = try Fixture("clip.json")
    let groups = [
      (try CLIPTokenizer.bundled(), fixture.padded),
      (try CLIPTokenizer.bundled(padToken: "!"), fixture.padded2 ?? []),
    ]
    for (tokenizer, cases) in groups {
      #expect(!cases.isEmpty)
      for expected in cases {
        let encoded = tokenizer.encode(expected.text)
        #expect(encoded.ids == expected.ids)
        #expect(encoded.attentionMask == expected.mask)
      }
    }
  }

  @Test func decodedTextContainsTheWords() throws {
    let fixture = try Fixture("clip.json")
    let tokenizer = try CLIPTokenizer.bundled()
    let decoded = try #require(fixture.decoded)
    for (ids, text) in zip(fixture.ids, decoded) {
      #expect(tokenizer.decode(ids) == text)
    }
  }

  @Test func truncationIsCounted() throws {
    let tokenizer = try CLIPTokenizer.bundled()
    #expect(tokenizer.encode(String(repeating: "cat ", count: 75)).truncatedCount == 0)
    #expect(tokenizer.encode(String(repeating: "cat ", count: 80)).truncatedCount == 5)
    #expect(tokenizer.encode("cat").ids.count == 77)
  }

  @Test func aByteThatIsNoTokenBoundaryDecodesToTheReplacementCharacter() throws {
    let tokenizer = try CLIPTokenizer.bundled()
    #expect(tokenizer.decode([169]) == "\u{FFFD}")
    #expect(tokenizer.decode([-1, 99_999]) == "")
    #expect(tokenizer.token(for: 320) == "a</w>")
    #expect(tokenizer.token(for: 49_408) == nil)
    #expect(tokenizer.vocabularySize == 49_408)
  }

  @Test func oneWordOf100KilobytesTakesNoQuadraticTime() throws {
    let tokenizer = try CLIPTokenizer.bundled()
    let clock = ContinuousClock()
    for unit in ["a", "ab", "é", "漢", "🙂", "1", "a b ", "!?", "<|"] {
      let text = String(repeating: unit, count: 100_000 / unit.utf8.count)
      let elapsed = clock.measure { #expect(!tokenizer.contentIDs(text).isEmpty) }
      #expect(elapsed < .seconds(2), "\(unit): \(elapsed)")
    }
  }
}

@Suite struct CLIPTokenizerLoadingTests {
  private static let texts = ["a photo of a cat", "hi! 😀 é", "<|endoftext|>"]

  /// The bundled vocabulary as the text of `vocab.json` and its merge rules.
  private func bundledFiles() throws -> (vocab: String, merges: [String]) {
    let tokenizer = try CLIPTokenizer.bundled()
    let members = try (0..<Int32(tokenizer.vocabularySize)).map { id in
      let token = try #require(tokenizer.token(for: id))
      return "\(quoted(token)): \(id)"
    }
    let folder = Fixture.folder.appendingPathComponent("../../../Sources/Tokenizers/Resources")
    let merges = try String(
      contentsOf: folder.appendingPathComponent("clip-merges.txt"), encoding: .utf8)
    return ("{\(members.joined(separator: ", "))}", merges.split(separator: "\n").map(String.init))
  }

  /// A JSON text with everything beyond ASCII escaped, as Python writes it.
  private func quoted(_ text: String) -> String {
    let scalars = text.unicodeScalars.map { scalar -> String in
      switch scalar {
      case "\"", "\\": return "\\\(scalar)"
      case _ where scalar.isASCII: return String(scalar)
      default:
        let digits = String(scalar.value, radix: 16)
        return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      }
    }
    return "\"\(scalars.joined())\""
  }

  private func expectEqualToBundled(_ files: [String: String]) throws {
    let loaded = try withFolder(files) { try CLIPTokenizer.load(folder: $0) }
    let bundled = try CLIPTokenizer.bundled()
    for text in Self.texts {
      #expect(loaded.encode(text) == bundled.encode(text))
    }
  }

  @Test func everyFolderFormGivesTheSameIDs() throws {
    let (vocab, merges) = try bundledFiles()
    try expectEqualToBundled([
      "vocab.json": vocab,
      "merges.txt": "#version: 0.2\r\n" + merges.joined(separator: "\r\n") + "\r\n",
    ])
    let texts = merges.map(quoted).joined(separator: ",")
    try expectEqualToBundled([
      "tokenizer.json": #"{"model": {"vocab": \#(vocab), "merges": [\#(texts)]}}"#
    ])
    let pairs = merges.map {
      "[\($0.split(separator: " ").map { quoted(String($0)) }.joined(separator: ","))]"
    }
    try expectEqualToBundled([
      "tokenizer.json":
        #"{"model": {"vocab": \#(vocab), "merges": [\#(pairs.joined(separator: ","))]}}"#
    ])
  }

  @Test(arguments: [
    ["tokenizer_config.json": #"{"pad_token": "!", "model_max_length": 32}"#],
    [
      "special_tokens_map.json": #"{"pad_token": {"content": "!", "lstrip": false}}"#,
      "tokenizer_config.json": #"{"model_max_length": 32, "do_lower_case": true}"#,
    ],
  ])
  func paddingAndLengthFollowTheConfig(_ config: [String: String]) throws {
    let (vocab, merges) = try bundledFiles()
    let files = ["vocab.json": vocab, "merges.txt": merges.joined(separator: "\n")]
    let tokenizer = try withFolder(files.merging(config) { $1 }) {
      try CLIPTokenizer.load(folder: $0)
    }
    #expect(tokenizer.padID == 0)
    #expect(tokenizer.maxLength == 32)
  }

  @Test func brokenFoldersSayWhatIsWrong() throws {
    func error(_ files: [String: String]) throws -> String {
      try withFolder(files) { folder in
        let error = #expect(throws: TokenizerError.self) { try CLIPTokenizer.load(folder: folder) }
        return error.map { "\($0)" } ?? ""
      }
    }
    #expect(try error([:]).contains("expected vocab.json with merges.txt or tokenizer.json"))
    #expect(try error(["tokenizer.json": "{\"model\": "]).contains("not JSON at byte 10"))
    #expect(try error(["tokenizer.json": "{}"]).contains("no model.vocab and model.merges"))
    #expect(
      try error(["vocab.json": "{\"a\": 0}", "merges.txt": "#version\na b c\n"])
        .contains("merge 2 is \"a b c\""))
    #expect(
      try error(["vocab.json": "{\"a\": 0}", "merges.txt": "a b\n"]).contains("no token \"ab\""))
    #expect(
      try error(["vocab.json": "{\"a\": 0}", "merges.txt": ""])
        .contains("no token \"<|startoftext|>\""))
    #expect(
      try error(["vocab.json": "{\"a\": -1}", "merges.txt": ""]).contains("no id of 0 or more"))
    #expect(
      try error(["tokenizer.json": String(repeating: "[", count: 100_000)])
        .contains("less nesting"))
  }
}
