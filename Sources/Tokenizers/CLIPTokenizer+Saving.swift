import Foundation

extension CLIPTokenizer {
  /// The files of a `tokenizer/` folder with the vocabulary that comes with this package, as
  /// transformers reads them.
  ///
  /// - Parameter padToken: the token that texts are filled up with.
  /// - Returns: names and contents.
  /// - Throws: `TokenizerError.noVocabulary` if the installed program has lost its resources.
  public static func bundledFiles(
    padToken: String = endToken
  ) throws(TokenizerError) -> [(name: String, contents: Data)] {
    let tokenizer = try bundled(padToken: padToken)
    var vocabulary: [String: Int32] = [:]
    for id in 0..<Int32(tokenizer.vocabularySize) {
      if let token = tokenizer.token(for: id) { vocabulary[token] = id }
    }
    let rules = try TokenizerFolder.bytes(of: bundledMerges())
    let special = [
      "bos_token": beginToken, "eos_token": endToken, "pad_token": padToken, "unk_token": endToken,
    ]
    let settings: [String: Any] = [
      "add_prefix_space": false, "do_lower_case": true, "errors": "replace",
      "model_max_length": tokenizer.maxLength, "tokenizer_class": "CLIPTokenizer",
    ]
    return [
      ("vocab.json", try json(vocabulary)),
      ("merges.txt", Data("#version: 0.2\n".utf8) + Data(rules)),
      ("special_tokens_map.json", try json(special)),
      ("tokenizer_config.json", try json(settings.merging(special) { $1 })),
    ]
  }

  private static func json(_ object: [String: Any]) throws(TokenizerError) -> Data {
    do {
      let options: JSONSerialization.WritingOptions = [.sortedKeys, .withoutEscapingSlashes]
      return try JSONSerialization.data(withJSONObject: object, options: options)
    } catch {
      throw .malformed(path: "the bundled tokenizer", reason: error.localizedDescription)
    }
  }
}
