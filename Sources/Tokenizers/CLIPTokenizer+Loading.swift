import Foundation

extension CLIPTokenizer {
  /// Loads the vocabulary of all released CLIP models, which comes with this package.
  ///
  /// - Parameters:
  ///   - padToken: `<|endoftext|>` as in Stable Diffusion 1, or `!` (id 0) as in Stable Diffusion 2.
  ///   - maxLength: ids per text, 77 in every released model.
  /// - Returns: the tokenizer of 49,408 tokens.
  /// - Throws: `TokenizerError.noVocabulary` if the installed program has lost its resources.
  public static func bundled(padToken: String = endToken, maxLength: Int = 77)
    throws(TokenizerError) -> CLIPTokenizer
  {
    let url = try bundledMerges()
    let rules = try mergePairs(TokenizerFolder.bytes(of: url).lines(), path: url.path)
    var entries: [(token: [UInt8], id: Int32)] = []
    func append(_ token: [UInt8]) { entries.append((token, Int32(entries.count))) }
    let symbols = ByteSymbols.order.map { Array(String(ByteSymbols.all[Int($0)]).utf8) }
    for symbol in symbols { append(symbol) }
    for symbol in symbols { append(symbol + ByteSymbols.wordEnd.utf8) }
    for (left, right) in rules { append(left + right) }
    append(Array(beginToken.utf8))
    append(Array(endToken.utf8))
    return try CLIPTokenizer(
      Vocabulary(entries), rules, padToken: padToken, maxLength: maxLength, path: url.path)
  }

  /// Loads a diffusers `tokenizer/` folder: `vocab.json` and `merges.txt`, or `tokenizer.json`.
  ///
  /// - Parameters:
  ///   - folder: may also hold `tokenizer_config.json` or `special_tokens_map.json`.
  ///   - padToken: overrides the padding token of those files; without either `<|endoftext|>`.
  ///   - maxLength: ids per text; nil takes `model_max_length` of the config, else 77.
  /// - Returns: the tokenizer with the folder's vocabulary and padding.
  /// - Throws: `TokenizerError` naming the file and what is wrong with it.
  public static func load(folder: URL, padToken: String? = nil, maxLength: Int? = nil)
    throws(TokenizerError) -> CLIPTokenizer
  {
    let folder = TokenizerFolder(url: folder)
    let vocabulary: Vocabulary
    let rules: [([UInt8], [UInt8])]
    let path: String
    if folder.contains("vocab.json"), folder.contains("merges.txt") {
      path = folder.path("vocab.json")
      vocabulary = Vocabulary(try folder.json("vocab.json").vocabulary(path: path))
      rules = try mergePairs(folder.bytes("merges.txt").lines(), path: folder.path("merges.txt"))
    } else if folder.contains("tokenizer.json") {
      path = folder.path("tokenizer.json")
      let model = try folder.json("tokenizer.json")["model"]
      guard let vocab = model?["vocab"], let merges = model?["merges"]?.array else {
        throw .malformed(path: path, reason: "no model.vocab and model.merges")
      }
      vocabulary = Vocabulary(try vocab.vocabulary(path: path))
      rules = try mergePairs(merges, path: path)
    } else {
      throw .noVocabulary(
        folder: folder.url.path, expected: ["vocab.json with merges.txt", "tokenizer.json"])
    }
    let configuredPadToken = try folder.specialToken("pad_token")
    let configured = try folder.config()?["model_max_length"]?.int32.map(Int.init)
    return try CLIPTokenizer(
      vocabulary, rules, padToken: padToken ?? configuredPadToken ?? endToken,
      maxLength: maxLength ?? configured.flatMap { $0 >= 2 ? $0 : nil } ?? 77, path: path)
  }

  private init(
    _ vocabulary: Vocabulary, _ rules: [([UInt8], [UInt8])], padToken: String, maxLength: Int,
    path: String
  ) throws(TokenizerError) {
    var merges = BytePairMerges(minimumCapacity: rules.count)
    for (left, right) in rules {
      guard let leftID = vocabulary[left[...]], let rightID = vocabulary[right[...]],
        let id = vocabulary[(left + right)[...]]
      else {
        throw .missingToken(String(decoding: left + right, as: UTF8.self), path: path)
      }
      merges.append(leftID, rightID, to: id)
    }
    try self.init(
      vocabulary: vocabulary, merges: merges, padToken: padToken, maxLength: maxLength, path: path)
  }

  /// The pairs of a `merges.txt`; its `#version` line and empty lines are no rules.
  private static func mergePairs(_ lines: [ArraySlice<UInt8>], path: String)
    throws(TokenizerError) -> [([UInt8], [UInt8])]
  {
    var pairs: [([UInt8], [UInt8])] = []
    for (number, line) in lines.enumerated() where !line.isEmpty {
      if number == 0, line.starts(with: "#version".utf8) { continue }
      pairs.append(try mergePair(line, number: number + 1, path: path))
    }
    return pairs
  }

  /// The pairs of `model.merges`, each `"a b"` or `["a", "b"]`.
  private static func mergePairs(_ merges: [JSONValue], path: String)
    throws(TokenizerError) -> [([UInt8], [UInt8])]
  {
    var pairs: [([UInt8], [UInt8])] = []
    for (index, merge) in merges.enumerated() {
      switch merge {
      case .text(let line):
        pairs.append(try mergePair(line[...], number: index + 1, path: path))
      case .array(let parts):
        guard parts.count == 2, case .text(let left) = parts[0], case .text(let right) = parts[1]
        else { throw .malformed(path: path, reason: "merge \(index + 1) is no pair of texts") }
        pairs.append((left, right))
      default:
        throw .malformed(path: path, reason: "merge \(index + 1) is no pair of texts")
      }
    }
    return pairs
  }

  private static func mergePair(_ line: ArraySlice<UInt8>, number: Int, path: String)
    throws(TokenizerError) -> ([UInt8], [UInt8])
  {
    let parts = line.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
    guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else {
      let text = String(decoding: line.prefix(60), as: UTF8.self)
      throw .malformed(
        path: path, reason: "merge \(number) is \"\(text)\", expected two symbols and one space")
    }
    return (Array(parts[0]), Array(parts[1]))
  }

  /// The bundled merge rules: beside the program, in its `share` folder, or in the source tree.
  ///
  /// `Bundle.module` would end the program if the resource folder was left behind at installation.
  static func bundledMerges() throws(TokenizerError) -> URL {
    let name = "clip-merges.txt"
    let program = (Bundle.main.executableURL ?? Bundle.main.bundleURL).resolvingSymlinksInPath()
    let programFolder = program.deletingLastPathComponent()
    let candidates = [
      programFolder.appendingPathComponent("imgen_Tokenizers.resources/Resources/\(name)"),
      programFolder.appendingPathComponent("../share/imgen/\(name)").standardizedFileURL,
      URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("Resources/\(name)"),
    ]
    guard let url = candidates.first(where: { FileManager.default.fileExists(atPath: $0.path) })
    else {
      throw .noVocabulary(
        folder: programFolder.path, expected: candidates.prefix(2).map(\.path))
    }
    return url
  }
}
