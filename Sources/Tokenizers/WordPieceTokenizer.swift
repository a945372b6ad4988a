/// The WordPiece encoding of BERT models, among them the MiniLM sentence encoders.
///
/// Ids equal those of transformers 5 `BertTokenizer`. Source: Wu et al. 2016, arXiv:1609.08144,
/// and Devlin et al. 2018, arXiv:1810.04805: a word is cut greedily into the longest vocabulary
/// entries, continuations being written `##…`; a word that cannot be cut is `[UNK]`.
public struct WordPieceTokenizer: Tokenizer {
  /// What the text is put through before the split into words.
  public struct Config: Sendable, Hashable {
    /// Lower case, as in the "uncased" models.
    public var doLowerCase = true

    /// Accents removed; nil means as `doLowerCase`.
    public var stripAccents: Bool?

    /// Every Chinese character is a word of its own.
    public var tokenizeChineseChars = true

    /// The length of every encoded text, `[CLS]` and `[SEP]` included; at least 2.
    public var maxLength = 512

    /// The settings of BERT uncased with 512 ids.
    public init() {}
  }

  /// Longer words, in Unicode scalars, are `[UNK]`.
  private static let maxWordLength = 100

  /// The length of every encoded text, the begin and end tokens included.
  public let maxLength: Int

  /// The id of `[CLS]`.
  public let beginID: Int32

  /// The id of `[SEP]`.
  public let endID: Int32

  /// The id of `[PAD]`.
  public let padID: Int32

  /// One past the largest id of the vocabulary.
  public var vocabularySize: Int { vocabulary.count }

  private let vocabulary: Vocabulary
  private let continuations: [ArraySlice<UInt8>: Int32]  // written without their "##"
  private let unknownID: Int32
  private let specialTokens: SpecialTokens
  private let words: BERTWords

  /// Builds the tokenizer from its table; `path` names the table's origin in errors.
  init(vocabulary: Vocabulary, config: Config, path: String) throws(TokenizerError) {
    precondition(
      config.maxLength >= 2,
      "WordPieceTokenizer: maxLength must be at least 2, got \(config.maxLength)")
    func id(_ token: String) throws(TokenizerError) -> Int32 {
      guard let id = vocabulary[token] else { throw .missingToken(token, path: path) }
      return id
    }
    padID = try id("[PAD]")
    unknownID = try id("[UNK]")
    beginID = try id("[CLS]")
    endID = try id("[SEP]")
    specialTokens = SpecialTokens([
      ("[PAD]", padID), ("[UNK]", unknownID), ("[CLS]", beginID), ("[SEP]", endID),
      ("[MASK]", try id("[MASK]")),
    ])
    var continuations: [ArraySlice<UInt8>: Int32] = [:]
    for id in 0..<Int32(vocabulary.count) {
      guard let token = vocabulary.token(id), token.starts(with: "##".utf8) else { continue }
      if vocabulary[token] == id { continuations[token.dropFirst(2)] = id }
    }
    self.continuations = continuations
    self.vocabulary = vocabulary
    maxLength = config.maxLength
    words = BERTWords(
      lowercases: config.doLowerCase, stripsAccents: config.stripAccents ?? config.doLowerCase,
      separatesIdeographs: config.tokenizeChineseChars)
  }

  /// The ids of `text` alone: no begin and end token, no truncation, no padding.
  public func contentIDs(_ text: String) -> [Int32] {
    var ids: [Int32] = []
    for segment in specialTokens.split(Array(text.unicodeScalars)[...]) {
      switch segment {
      case .special(let id): ids.append(id)
      case .text(let text):
        for word in words.split(words.normalized(text)[...]) {
          ids.append(contentsOf: pieces(of: word))
        }
      }
    }
    return ids
  }

  /// The vocabulary entry of `id` as the vocabulary file writes it, nil for an unknown id.
  public func token(for id: Int32) -> String? {
    vocabulary.token(id).map { String(decoding: $0, as: UTF8.self) }
  }

  /// The longest-match-first cut of one word, or `[UNK]`.
  private func pieces(of word: ArraySlice<Unicode.Scalar>) -> [Int32] {
    guard word.count <= Self.maxWordLength else { return [unknownID] }
    var bytes: [UInt8] = []
    var boundaries = [0]  // byte offsets between scalars
    for scalar in word {
      bytes.append(contentsOf: UTF8.encode(scalar) ?? .init())
      boundaries.append(bytes.count)
    }
    var ids: [Int32] = []
    var start = 0
    while start < word.count {
      let match = ((start + 1)...word.count).reversed().lazy.compactMap { end in
        let piece = bytes[boundaries[start]..<boundaries[end]]
        return (start == 0 ? vocabulary[piece] : continuations[piece]).map { ($0, end) }
      }.first
      guard let (id, end) = match else { return [unknownID] }
      ids.append(id)
      start = end
    }
    return ids
  }
}
