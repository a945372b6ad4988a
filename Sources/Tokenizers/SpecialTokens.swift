/// The tokens that are recognised as a whole inside a text, before any other rule applies.
///
/// Source: transformers 5, whose special tokens are always searched in the text as it was typed
/// (case and all), whatever `normalized` says in the files.
struct SpecialTokens: Sendable {
  private struct Entry: Sendable {
    let content: [Unicode.Scalar]
    let id: Int32
  }

  /// A stretch of text between special tokens, or one special token.
  enum Segment: Equatable {
    case text(ArraySlice<Unicode.Scalar>)
    case special(Int32)
  }

  /// Longest first, so that the first match at a position is the longest.
  private let entries: [Entry]

  /// The first scalars of all entries: most positions of a text are rejected by this alone.
  private let initials: Set<Unicode.Scalar>

  /// A token may be listed twice (Stable Diffusion 1 pads with its end token).
  init(_ tokens: [(content: String, id: Int32)]) {
    entries = tokens.filter { !$0.content.isEmpty }
      .map { Entry(content: Array($0.content.unicodeScalars), id: $0.id) }
      .sorted { $0.content.count > $1.content.count }
    initials = Set(entries.compactMap(\.content.first))
  }

  /// Cuts `text` at its special tokens, leftmost and longest first; empty stretches are left out.
  func split(_ text: ArraySlice<Unicode.Scalar>) -> [Segment] {
    var segments: [Segment] = []
    var start = text.startIndex
    var index = start
    while index < text.endIndex {
      guard initials.contains(text[index]),
        let match = entries.first(where: { text[index...].starts(with: $0.content) })
      else {
        index += 1
        continue
      }
      if start < index { segments.append(.text(text[start..<index])) }
      segments.append(.special(match.id))
      index += match.content.count
      start = index
    }
    if start < text.endIndex { segments.append(.text(text[start...])) }
    return segments
  }
}
