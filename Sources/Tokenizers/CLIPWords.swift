import Foundation

/// The text clean-up and word split of CLIP, over Unicode scalars.
///
/// Source: transformers `CLIPTokenizer`: NFC, white space runs to one space, lower case; then the
/// pattern `<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+`
/// followed by the GPT-2 pattern, which cuts the first two alternatives into their three parts.
enum CLIPWords {
  private enum Kind {
    case space, letter, number, other
  }

  private static let contractions = ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d"].map(scalars)
  private static let markers = [["<|", "startoftext", "|>"], ["<|", "endoftext", "|>"]]
    .map { $0.map(scalars) }

  private static func scalars(_ text: String) -> [Unicode.Scalar] { Array(text.unicodeScalars) }

  /// NFC, then every scalar lower-cased on its own (so a final sigma is not special).
  ///
  /// White space is not collapsed here because the split drops all of it anyway.
  static func normalized(_ text: ArraySlice<Unicode.Scalar>) -> [Unicode.Scalar] {
    var result: [Unicode.Scalar] = []
    result.reserveCapacity(text.count)
    for scalar in composed(text) {
      if scalar.isASCII {
        let isUpper = ("A"..."Z").contains(scalar)
        result.append(isUpper ? Unicode.Scalar(UInt8(scalar.value) + 32) : scalar)
      } else {
        result.append(contentsOf: scalar.properties.lowercaseMapping.unicodeScalars)
      }
    }
    return result
  }

  /// The words of a normalised text, in order; white space is dropped.
  static func split(_ text: ArraySlice<Unicode.Scalar>) -> [ArraySlice<Unicode.Scalar>] {
    var words: [ArraySlice<Unicode.Scalar>] = []
    var index = text.startIndex
    while index < text.endIndex {
      let lengths = wordLengths(text[index...])
      for length in lengths {
        words.append(text[index..<(index + length)])
        index += length
      }
      if lengths.isEmpty { index += 1 }
    }
    return words
  }

  /// The lengths of the words that the match at the start of `rest` gives; none for white space.
  private static func wordLengths(_ rest: ArraySlice<Unicode.Scalar>) -> [Int] {
    guard let first = rest.first else { return [] }
    if first == "<", let marker = markers.first(where: { rest.starts(with: $0.joined()) }) {
      return marker.map(\.count)
    }
    if first == "'", let match = contractions.first(where: { rest.starts(with: $0) }) {
      return [match.count]
    }
    let kind = kind(first)
    switch kind {
    case .space: return []
    case .number: return [1]
    case .letter, .other:
      let end = rest.firstIndex { self.kind($0) != kind } ?? rest.endIndex
      return [end - rest.startIndex]
    }
  }

  private static func kind(_ scalar: Unicode.Scalar) -> Kind {
    if scalar.isASCII {
      switch scalar {
      case "a"..."z", "A"..."Z": return .letter
      case "0"..."9": return .number
      case " ", "\t"..."\r": return .space
      default: return .other
      }
    }
    switch scalar.properties.generalCategory {
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter:
      return .letter
    case .decimalNumber, .letterNumber, .otherNumber:
      return .number
    default:
      return scalar.properties.isWhitespace ? .space : .other
    }
  }

  /// Canonical composition; a text below U+0300 is its own composition.
  private static func composed(_ text: ArraySlice<Unicode.Scalar>) -> [Unicode.Scalar] {
    guard text.contains(where: { $0.value >= 0x300 }) else { return Array(text) }
    return Array(
      String(String.UnicodeScalarView(text)).precomposedStringWithCanonicalMapping.unicodeScalars)
  }
}
