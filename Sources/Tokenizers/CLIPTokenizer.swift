/// The byte-pair encoding of CLIP text encoders, as used by Stable Diffusion 1, 2 and XL.
///
/// Ids equal those of transformers 5 `CLIPTokenizer` (the fast tokenizer) for all characters up to
/// Unicode 16: NFC, lower case, white space dropped. HTML entities and wrongly decoded UTF-8 are
/// not repaired, as the tokenizer of `openai/CLIP` does. The begin, end and padding tokens are
/// recognised inside a text: `"a cat<|endoftext|>"`, and with the padding token `!` of Stable
/// Diffusion 2 also `"hi!"`, whose last id is then 0.
public struct CLIPTokenizer: Tokenizer {
  /// The begin token of every CLIP vocabulary.
  public static let beginToken = "<|startoftext|>"

  /// The end token of every CLIP vocabulary, also the padding of Stable Diffusion 1.
  public static let endToken = "<|endoftext|>"

  /// The length of every encoded text, the begin and end tokens included.
  public let maxLength: Int

  /// The id of `<|startoftext|>`.
  public let beginID: Int32

  /// The id of `<|endoftext|>`.
  public let endID: Int32

  /// The id of the padding token.
  public let padID: Int32

  /// One past the largest id of the vocabulary.
  public var vocabularySize: Int { vocabulary.count }

  private let vocabulary: Vocabulary
  private let merges: BytePairMerges
  private let specialTokens: SpecialTokens
  private let byteIDs: [Int32]  // [256], a byte inside a word
  private let lastByteIDs: [Int32]  // [256], the last byte of a word

  /// Builds the tokenizer from its tables; `path` names their origin in errors.
  init(
    vocabulary: Vocabulary, merges: BytePairMerges, padToken: String, maxLength: Int, path: String
  ) throws(TokenizerError) {
    precondition(maxLength >= 2, "CLIPTokenizer: maxLength must be at least 2, got \(maxLength)")
    func id(_ token: String) throws(TokenizerError) -> Int32 {
      guard let id = vocabulary[token] else { throw .missingToken(token, path: path) }
      return id
    }
    beginID = try id(Self.beginToken)
    endID = try id(Self.endToken)
    padID = try id(padToken)
    var byteIDs: [Int32] = []
    var lastByteIDs: [Int32] = []
    for symbol in ByteSymbols.all {
      byteIDs.append(try id(String(symbol)))
      lastByteIDs.append(try id(String(symbol) + ByteSymbols.wordEnd))
    }
    self.byteIDs = byteIDs
    self.lastByteIDs = lastByteIDs
    self.vocabulary = vocabulary
    self.merges = merges
    self.maxLength = maxLength
    specialTokens = SpecialTokens([
      (Self.beginToken, beginID), (Self.endToken, endID), (padToken, padID),
    ])
  }

  /// The ids of `text` alone: no begin and end token, no truncation, no padding.
  public func contentIDs(_ text: String) -> [Int32] {
    var ids: [Int32] = []
    for segment in specialTokens.split(Array(text.unicodeScalars)[...]) {
      switch segment {
      case .special(let id): ids.append(id)
      case .text(let text):
        for word in CLIPWords.split(CLIPWords.normalized(text)[...]) {
          ids.append(contentsOf: merges.merged(symbols(of: word)))
        }
      }
    }
    return ids
  }

  /// The vocabulary entry of `id` as the vocabulary file writes it, nil for an unknown id.
  public func token(for id: Int32) -> String? {
    vocabulary.token(id).map { String(decoding: $0, as: UTF8.self) }
  }

  /// The text of `ids` without begin, end and padding tokens, words separated by one space.
  ///
  /// Bytes that are no UTF-8, from a character cut in half, become U+FFFD.
  public func decode(_ ids: some Sequence<Int32>) -> String {
    var bytes: [UInt8] = []
    for id in ids where id != beginID && id != endID && id != padID {
      guard let token = vocabulary.token(id) else { continue }
      let isLast = token.suffix(4).elementsEqual(ByteSymbols.wordEnd.utf8)
      let symbols = String(decoding: isLast ? token.dropLast(4) : token, as: UTF8.self)
      bytes.append(contentsOf: symbols.unicodeScalars.compactMap { ByteSymbols.bytes[$0] })
      if isLast { bytes.append(UInt8(ascii: " ")) }
    }
    if bytes.last == UInt8(ascii: " ") { bytes.removeLast() }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// One id per UTF-8 byte of `word`, the last one being the form that ends a word.
  private func symbols(of word: ArraySlice<Unicode.Scalar>) -> [Int32] {
    var bytes: [UInt8] = []
    for scalar in word { bytes.append(contentsOf: UTF8.encode(scalar) ?? .init()) }
    var ids = bytes.map { byteIDs[Int($0)] }
    if let last = bytes.last { ids[ids.count - 1] = lastByteIDs[Int(last)] }
    return ids
  }
}

/// The printable characters that stand for bytes in the files of byte-pair vocabularies.
///
/// Source: `bytes_to_unicode` of GPT-2: the printable bytes of Latin-1 stand for themselves, the
/// others are numbered from U+0100 on.
enum ByteSymbols {
  /// The mark at the end of a word's last token.
  static let wordEnd = "</w>"

  /// The bytes in the order of their ids 0 to 255: the printable ones first.
  static let order: [UInt8] = printable + (0...255).filter { !printable.contains($0) }

  /// The character of every byte, by the byte's value.
  static let all: [Unicode.Scalar] = {
    var symbols = (UInt8.min...UInt8.max).map { Unicode.Scalar($0) }
    for (index, byte) in order.dropFirst(printable.count).enumerated() {
      symbols[Int(byte)] = Unicode.Scalar(UInt16(0x100 + index)) ?? symbols[Int(byte)]
    }
    return symbols
  }()

  /// The byte of every character.
  static let bytes = Dictionary(
    uniqueKeysWithValues: all.enumerated().map { ($0.element, UInt8($0.offset)) })

  private static let printable = [UInt8](33...126) + [UInt8](161...172) + [UInt8](174...255)
}

extension String {
  init(_ scalar: Unicode.Scalar) {
    self.init(Character(scalar))
  }
}
