import Foundation

extension WordPieceTokenizer {
  /// Loads a BERT folder: `vocab.txt`, or `tokenizer.json`.
  ///
  /// - Parameters:
  ///   - folder: may also hold `tokenizer_config.json`, whose `do_lower_case`, `strip_accents`,
  ///     `tokenize_chinese_chars` and `model_max_length` are followed.
  ///   - maxLength: ids per text; nil takes `model_max_length` of the config, else 512.
  /// - Returns: the tokenizer with the folder's vocabulary and settings.
  /// - Throws: `TokenizerError` naming the file and what is wrong with it.
  public static func load(folder: URL, maxLength: Int? = nil)
    throws(TokenizerError) -> WordPieceTokenizer
  {
    let folder = TokenizerFolder(url: folder)
    var config = Config()
    let vocabulary: Vocabulary
    let path: String
    if folder.contains("vocab.txt") {
      path = folder.path("vocab.txt")
      let lines = try folder.bytes("vocab.txt").lines()
      vocabulary = Vocabulary(lines.enumerated().map { (Array($1), Int32($0)) })
    } else if folder.contains("tokenizer.json") {
      path = folder.path("tokenizer.json")
      let json = try folder.json("tokenizer.json")
      guard let vocab = json["model"]?["vocab"] else {
        throw .malformed(path: path, reason: "no model.vocab")
      }
      vocabulary = Vocabulary(try vocab.vocabulary(path: path))
      if let normalizer = json["normalizer"] {
        config.apply(
          normalizer, lowerCase: "lowercase", chineseChars: "handle_chinese_chars")
      }
    } else {
      throw .noVocabulary(folder: folder.url.path, expected: ["vocab.txt", "tokenizer.json"])
    }
    if let settings = try folder.config() {
      config.apply(settings, lowerCase: "do_lower_case", chineseChars: "tokenize_chinese_chars")
      if let length = settings["model_max_length"]?.int32, length >= 2 {
        config.maxLength = Int(length)
      }
    }
    config.maxLength = maxLength ?? config.maxLength
    return try WordPieceTokenizer(vocabulary: vocabulary, config: config, path: path)
  }
}

extension WordPieceTokenizer.Config {
  /// Takes over what `settings` says; a missing or null entry changes nothing.
  fileprivate mutating func apply(_ settings: JSONValue, lowerCase: String, chineseChars: String) {
    doLowerCase = settings[lowerCase]?.bool ?? doLowerCase
    stripAccents = settings["strip_accents"]?.bool ?? stripAccents
    tokenizeChineseChars = settings[chineseChars]?.bool ?? tokenizeChineseChars
  }
}
