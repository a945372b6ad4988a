import Foundation

/// The text clean-up and word split of BERT, over Unicode scalars.
///
/// Source: transformers `BertTokenizer` (tokenizers `BertNormalizer` and `BertPreTokenizer`), whose
/// tables of marks, punctuation and control characters are those of Unicode 8.
struct BERTWords: Sendable {
  let lowercases: Bool
  let stripsAccents: Bool
  let separatesIdeographs: Bool

  /// Clean-up in BERT's order: controls, ideographs, accents, case.
  func normalized(_ text: ArraySlice<Unicode.Scalar>) -> [Unicode.Scalar] {
    var scalars = cleaned(text)
    if stripsAccents { scalars = Self.strippingAccents(scalars) }
    if lowercases {
      scalars = scalars.flatMap {
        $0.isASCII && !("A"..."Z").contains($0)
          ? String.UnicodeScalarView([$0]) : $0.properties.lowercaseMapping.unicodeScalars
      }
    }
    return scalars
  }

  /// The words and single punctuation marks of a normalised text, in order.
  func split(_ text: ArraySlice<Unicode.Scalar>) -> [ArraySlice<Unicode.Scalar>] {
    var words: [ArraySlice<Unicode.Scalar>] = []
    var start = text.startIndex
    for index in text.indices {
      let isSpace = text[index].properties.isWhitespace
      guard isSpace || Self.isPunctuation(text[index]) else { continue }
      if start < index { words.append(text[start..<index]) }
      if !isSpace { words.append(text[index...index]) }
      start = index + 1
    }
    if start < text.endIndex { words.append(text[start...]) }
    return words
  }

  private func cleaned(_ text: ArraySlice<Unicode.Scalar>) -> [Unicode.Scalar] {
    var result: [Unicode.Scalar] = []
    result.reserveCapacity(text.count)
    for scalar in text where !Self.isDropped(scalar) {
      if scalar.properties.isWhitespace {
        result.append(" ")
      } else if separatesIdeographs, Self.isIdeograph(scalar) {
        result.append(contentsOf: [" ", scalar, " "])
      } else {
        result.append(scalar)
      }
    }
    return result
  }

  /// Canonical decomposition without its nonspacing marks.
  private static func strippingAccents(_ text: [Unicode.Scalar]) -> [Unicode.Scalar] {
    guard text.contains(where: { $0.value >= 0xC0 }) else { return text }
    return String(String.UnicodeScalarView(text)).decomposedStringWithCanonicalMapping
      .unicodeScalars.filter { Self.category($0) != .nonspacingMark }
  }

  private static func isDropped(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar {
    case "\t", "\n", "\r": false
    case "\u{FFFD}": true
    default:
      switch category(scalar) {
      case .control, .format, .privateUse, .surrogate: true
      default: false
      }
    }
  }

  private static func isPunctuation(_ scalar: Unicode.Scalar) -> Bool {
    if scalar.isASCII {
      switch scalar.value {
      case 33...47, 58...64, 91...96, 123...126: return true
      default: return false
      }
    }
    switch category(scalar) {
    case .connectorPunctuation, .dashPunctuation, .openPunctuation, .closePunctuation,
      .initialPunctuation, .finalPunctuation, .otherPunctuation:
      return true
    default: return false
    }
  }

  /// The general category in Unicode 8.
  private static func category(_ scalar: Unicode.Scalar) -> Unicode.GeneralCategory {
    switch scalar.value {
    case 0x166D, 0x111C9: return .otherPunctuation
    case 0x1734, 0x1171E: return .nonspacingMark
    case 0x1885, 0x1886: return .otherLetter
    case 0xA9BD: return .spacingMark
    default: break
    }
    let category = scalar.properties.generalCategory
    guard scalar.value >= 0x300, category != .privateUse else { return category }
    guard let age = scalar.properties.age, age.major <= 8 else { return .unassigned }
    return category
  }

  /// The blocks that the reference calls Chinese characters.
  private static func isIdeograph(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x4E00...0x9FFF, 0x3400...0x4DBF, 0x20000...0x2A6DF, 0x2A700...0x2B73F,
      0x2B740...0x2B81F, 0x2B920...0x2CEAF, 0xF900...0xFAFF, 0x2F800...0x2FA1F:
      true
    default: false
    }
  }
}
