import Tokenizers

/// As many tokens as a text encoder reads at a time, with a weight each.
public struct PromptChunk: Equatable, Sendable {
  /// Begin token, text, end token, padding: as many as the tokenizer's `maxLength`.
  public let ids: [Int32]
  /// How much each token counts.
  public let weights: [Float]
}

extension PromptChunk {
  /// Cuts a prompt into chunks.
  ///
  /// - Parameters:
  ///   - prompt: any length; what brackets mean depends on the rule.
  ///   - rule: AUTOMATIC1111's or ComfyUI's; with `.literal` the prompt is cut off after one chunk.
  ///   - tokenizer: makes the ids.
  /// - Returns: at least one chunk.
  public static func chunks(
    of prompt: String, _ rule: PromptReading.Rule, _ tokenizer: some Tokenizer
  ) -> [PromptChunk] {
    switch tokenizer.maxLength > 2 ? rule : .literal {
    case .literal:
      let ids = tokenizer.encode(prompt).ids
      return [PromptChunk(ids: ids, weights: Array(repeating: 1, count: ids.count))]
    case .a1111:
      return a1111(WeightedText.a1111(prompt), tokenizer)
    case .comfyUI:
      return comfyUI(WeightedText.comfyUI(prompt), tokenizer)
    }
  }

  /// Fills chunks token by token; one that is full ends after its last comma if that is near.
  ///
  /// Source: A1111 `modules/sd_hijack_clip.py`, `tokenize_line`, with a backtrack of 20 tokens.
  private static func a1111(
    _ texts: [WeightedText], _ tokenizer: some Tokenizer
  ) -> [PromptChunk] {
    let room = tokenizer.maxLength - 2
    let comma = tokenizer.contentIDs(",").first
    var chunks: [[Token]] = []
    var current: [Token] = []
    var lastComma: Int?
    func finish(_ rest: [Token] = []) {
      chunks.append(current)
      (current, lastComma) = (rest, nil)
    }
    for text in texts {
      guard !text.isBreak else {
        finish()
        continue
      }
      for id in tokenizer.contentIDs(text.text) {
        if id == comma {
          lastComma = current.count
        } else if current.count == room, let last = lastComma, room - last <= 20 {
          let moved = Array(current[(last + 1)...])
          current.removeLast(moved.count)
          finish(moved)
        }
        if current.count == room { finish() }
        current.append(Token(id: id, weight: text.weight))
      }
    }
    if !current.isEmpty || chunks.isEmpty { finish() }
    return chunks.map { PromptChunk($0, tokenizer) }
  }

  /// Fills chunks word by word; words of fewer than eight tokens are not parted.
  ///
  /// Source: ComfyUI `comfy/sd1_clip.py`, `tokenize_with_weights`.
  private static func comfyUI(
    _ texts: [WeightedText], _ tokenizer: some Tokenizer
  ) -> [PromptChunk] {
    let room = tokenizer.maxLength - 2
    var chunks: [[Token]] = []
    var current: [Token] = []
    func finish() {
      chunks.append(current)
      current = []
    }
    for text in texts {
      for word in text.text.split(whereSeparator: { $0 == " " || $0.isNewline }) {
        var tokens = tokenizer.contentIDs(String(word)).map { Token(id: $0, weight: text.weight) }
        let isLarge = tokens.count >= 8 || tokens.count > room
        while current.count + tokens.count > room {
          let taken = isLarge ? room - current.count : 0
          current += tokens.prefix(taken)
          tokens.removeFirst(taken)
          finish()
        }
        current += tokens
      }
    }
    finish()
    return chunks.map { PromptChunk($0, tokenizer) }
  }

  private struct Token {
    let id: Int32
    let weight: Float
  }

  /// Tokens between begin and end, filled up.
  private init(_ tokens: [Token], _ tokenizer: some Tokenizer) {
    let padding = tokenizer.maxLength - 2 - tokens.count
    ids =
      [tokenizer.beginID] + tokens.map(\.id) + [tokenizer.endID]
      + Array(repeating: tokenizer.padID, count: padding)
    weights = [1] + tokens.map(\.weight) + Array(repeating: 1, count: padding + 1)
  }
}
