/// A stretch of a prompt and how much it counts.
public struct WeightedText: Equatable, Sendable {
  /// What is written there, without the brackets; empty for a break.
  public var text: String
  /// 1 counts as much as it does by itself.
  public var weight: Float
  /// Whether what follows goes to the next chunk of tokens; such a stretch has no text.
  public var isBreak = false

  /// A stretch of text.
  public init(_ text: String, _ weight: Float = 1) {
    (self.text, self.weight) = (text, weight)
  }

  /// The end of a chunk.
  public static let chunkBreak: WeightedText = {
    var text = WeightedText("")
    text.isBreak = true
    return text
  }()
}

extension WeightedText {
  /// Reads a prompt by the rules of AUTOMATIC1111's web UI.
  ///
  /// `(a)` counts 1.1 times as much, `[a]` as much by 1.1, `(a:1.3)` 1.3 times; brackets multiply.
  /// A backslash takes a bracket's or a backslash's meaning away, an unclosed bracket lasts to the
  /// end, and `BREAK` in capital letters begins a new chunk, inside brackets too (where the web UI
  /// takes it for a word of a negative weight). Alternatives and changes on the way
  /// (`[a|b]`, `[a:b:0.5]`) are not known: they are text in brackets.
  /// Source: `modules/prompt_parser.py`, `parse_prompt_attention`.
  ///
  /// - Parameter prompt: any text.
  /// - Returns: at least one stretch; neighbours differ in weight or are parted by a break.
  public static func a1111(_ prompt: String) -> [WeightedText] {
    var reader = A1111Reader(Array(prompt))
    return reader.read()
  }

  /// Reads a prompt by the rules of ComfyUI.
  ///
  /// `(a)` counts 1.1 times as much as what is around it, `(a:1.3)` 1.3 times whatever is around
  /// it; a backslash takes a round bracket's meaning away; nothing else has one.
  /// Source: `comfy/sd1_clip.py`, `token_weights` and `parse_parentheses`.
  ///
  /// - Parameter prompt: any text.
  /// - Returns: stretches in order; none for an empty prompt.
  public static func comfyUI(_ prompt: String) -> [WeightedText] {
    // Escaped brackets are kept out of the way as characters that no prompt has.
    let (closing, opening) = ("\u{0}\u{1}", "\u{0}\u{2}")
    let text = prompt.replacing("\\)", with: closing).replacing("\\(", with: opening)
    return comfyUIParts(text[...], weight: 1).map {
      WeightedText(
        $0.text.replacing(closing, with: ")").replacing(opening, with: "("), $0.weight)
    }
  }

  private static func comfyUIParts(_ text: Substring, weight: Float) -> [WeightedText] {
    topLevelParts(text).flatMap { part -> [WeightedText] in
      guard part.count >= 2, part.first == "(", part.last == ")" else {
        return [WeightedText(String(part), weight)]
      }
      var (inner, own) = (part.dropFirst().dropLast(), weight * 1.1)
      if let colon = inner.lastIndex(of: ":"), colon > inner.startIndex,
        let number = Float(inner[inner.index(after: colon)...].filter { $0 != " " }),
        number.isFinite
      {
        (inner, own) = (inner[..<colon], number)
      }
      return comfyUIParts(inner, weight: own)
    }
  }

  /// Text and outermost brackets with what is in them, in turn.
  private static func topLevelParts(_ text: Substring) -> [Substring] {
    var parts: [Substring] = []
    var (start, level) = (text.startIndex, 0)
    for place in text.indices {
      if text[place] == "(" {
        if level == 0 {
          if start < place { parts.append(text[start..<place]) }
          start = place
        }
        level += 1
      } else if text[place] == ")" {
        level -= 1
        if level == 0 {
          let next = text.index(after: place)
          parts.append(text[start..<next])
          start = next
        }
      }
    }
    if start < text.endIndex { parts.append(text[start...]) }
    return parts
  }
}

/// Goes through a prompt by the rules of AUTOMATIC1111's web UI.
private struct A1111Reader {
  private let text: [Character]
  private var place = 0
  private var parts: [WeightedText] = []
  private var round: [Int] = []
  private var square: [Int] = []

  init(_ text: [Character]) { self.text = text }

  mutating func read() -> [WeightedText] {
    while place < text.count { readOne() }
    for start in round { multiply(from: start, by: 1.1) }
    for start in square { multiply(from: start, by: 1 / 1.1) }
    return merged()
  }

  private mutating func readOne() {
    switch text[place] {
    case "\\":
      let next = place + 1 < text.count ? text[place + 1] : " "
      let isEscape = "()[]\\".contains(next)
      if isEscape { parts.append(WeightedText(String(next))) }
      place += isEscape ? 2 : 1
    case "(":
      round.append(parts.count)
      place += 1
    case "[":
      square.append(parts.count)
      place += 1
    case ":":
      guard let (weight, end) = weight(), let start = round.popLast() else {
        return append(until: place + 1)
      }
      multiply(from: start, by: weight)
      place = end
    case ")":
      guard let start = round.popLast() else { return append(until: place + 1) }
      multiply(from: start, by: 1.1)
      place += 1
    case "]":
      guard let start = square.popLast() else { return append(until: place + 1) }
      multiply(from: start, by: 1 / 1.1)
      place += 1
    default:
      append(until: text[place...].firstIndex { "\\()[]:".contains($0) } ?? text.count)
    }
  }

  /// The number between a colon and a closing bracket, and where the bracket ends.
  private func weight() -> (Float, Int)? {
    guard let close = text[place...].firstIndex(of: ")") else { return nil }
    let inner = String(text[(place + 1)..<close])
    let number = String(
      inner.drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace)
        .reversed())
    let digits = number.first.map { "+-".contains($0) } == true ? number.dropFirst() : number[...]
    guard digits.allSatisfy({ $0 == "." || ("0"..."9").contains($0) }), let weight = Float(number)
    else { return nil }
    return (weight, close + 1)
  }

  /// Text, cut at every `BREAK` that stands by itself.
  private mutating func append(until end: Int) {
    var words = text[place..<end]
    place = end
    while let start = A1111Reader.breakStart(in: words) {
      var before = words[..<start]
      while before.last?.isWhitespace == true { before.removeLast() }
      parts += [WeightedText(String(before)), .chunkBreak]
      words = words[(start + 5)...].drop(while: \.isWhitespace)
    }
    parts.append(WeightedText(String(words)))
  }

  private static func breakStart(in words: ArraySlice<Character>) -> Int? {
    func isWord(_ place: Int) -> Bool {
      words.indices.contains(place)
        && (words[place].isLetter || words[place].isNumber || words[place] == "_")
    }
    return words.indices.first { start in
      words[start...].starts(with: "BREAK") && !isWord(start - 1) && !isWord(start + 5)
    }
  }

  private mutating func multiply(from start: Int, by factor: Float) {
    for index in parts.indices.dropFirst(start) { parts[index].weight *= factor }
  }

  /// Neighbours of the same weight put together.
  private func merged() -> [WeightedText] {
    var result: [WeightedText] = []
    for part in parts {
      if part.isBreak {
        result.append(.chunkBreak)
      } else if let last = result.last, !last.isBreak, last.weight == part.weight {
        result[result.count - 1].text += part.text
      } else {
        result.append(part)
      }
    }
    return result.isEmpty ? [WeightedText("")] : result
  }
}
