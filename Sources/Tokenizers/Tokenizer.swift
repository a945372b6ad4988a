/// Turns a prompt or caption into the token ids that a text encoder reads.
///
/// A conforming type supplies `contentIDs(_:)`; framing, truncation and padding are the same for all.
public protocol Tokenizer: Sendable {
  /// The length of every encoded text, the begin and end tokens included; at least 2.
  var maxLength: Int { get }

  /// The number of rows that the text encoder's embedding table needs.
  var vocabularySize: Int { get }

  /// The id put before the text: CLIP's `<|startoftext|>`, BERT's `[CLS]`.
  var beginID: Int32 { get }

  /// The id put after the text: CLIP's `<|endoftext|>`, BERT's `[SEP]`.
  var endID: Int32 { get }

  /// The id that fills an encoded text up to `maxLength`.
  var padID: Int32 { get }

  /// The ids of `text` alone: no begin and end token, no truncation, no padding.
  func contentIDs(_ text: String) -> [Int32]

  /// The vocabulary entry of `id` as it is written in the vocabulary file, nil for an unknown id.
  func token(for id: Int32) -> String?
}

/// One encoded text: ids and mask have the tokenizer's `maxLength` elements.
public struct TokenizedText: Sendable, Hashable {
  /// Begin token, text, end token, padding.
  public let ids: [Int32]

  /// 1 for begin, text and end tokens, 0 for padding.
  public let attentionMask: [Int32]

  /// The number of tokens cut off at the end because the text was too long.
  public let truncatedCount: Int
}

extension Tokenizer {
  /// Encodes `text` to exactly `maxLength` ids, cutting its end off if it is too long.
  public func encode(_ text: String) -> TokenizedText {
    let content = contentIDs(text)
    let kept = content.prefix(maxLength - 2)
    let padding = maxLength - 2 - kept.count
    return TokenizedText(
      ids: [beginID] + kept + [endID] + repeatElement(padID, count: padding),
      attentionMask: [Int32](repeating: 1, count: kept.count + 2)
        + repeatElement(0, count: padding),
      truncatedCount: content.count - kept.count)
  }

  /// Encodes the whole `text` between begin and end token, neither truncated nor padded.
  public func encodeUnpadded(_ text: String) -> [Int32] {
    [beginID] + contentIDs(text) + [endID]
  }
}
