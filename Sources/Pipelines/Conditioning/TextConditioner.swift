import ComputeCore
import Layers
import Models
import Tokenizers

/// What the denoiser knows of the texts: one row of states per token.
public struct Conditioning {
  /// `[N, S, C]`.
  public let states: Tensor
  /// `[N, S]`, 0 where a token is padding that must not be seen; `nil` when all are.
  public let mask: Tensor?

  /// States with an optional mask of their tokens.
  public init(states: Tensor, mask: Tensor?) {
    self.states = states
    self.mask = mask
  }

  /// The batches of `first` and `second` after each other; the shorter texts are filled up with
  /// tokens that must not be seen.
  public static func joined(_ first: Conditioning, _ second: Conditioning) -> Conditioning {
    joined([first, second])
  }

  /// Some batches after each other; shorter texts are filled up with tokens that must not be seen.
  ///
  /// - Parameter parts: at least one.
  /// - Returns: all of them in one batch.
  public static func joined(_ parts: [Conditioning]) -> Conditioning {
    let longest = parts.map { $0.states.shape[1] }.max() ?? 0
    let isMasked = parts.contains { $0.mask != nil || $0.states.shape[1] != longest }
    let filled = parts.map { $0.filled(to: longest) }
    return Conditioning(
      states: concatenated(filled.map(\.states), axis: 0),
      mask: isMasked ? concatenated(filled.map(\.seen), axis: 0) : nil)
  }

  /// The mask `[N, S]`, of ones where there is none.
  private var seen: Tensor {
    mask ?? Tensor.ones([states.shape[0], states.shape[1]])
  }

  private func filled(to length: Int) -> Conditioning {
    let missing = length - states.shape[1]
    guard missing > 0 else { return self }
    return Conditioning(
      states: states.padded([(0, 0), (0, missing), (0, 0)]),
      mask: seen.padded([(0, 0), (0, missing)]))
  }
}

/// Turns texts into what the denoiser's cross-attention reads.
public protocol TextConditioner {
  /// Tokens per text, padding included.
  var tokens: Int { get }
  /// Numbers per token.
  var channels: Int { get }

  /// Layers whose states can be used, counted from the last.
  var layers: Int { get }
  /// The model, where LoRA files can have adapters for it.
  var adaptableModel: (any Module)? { get }

  /// `texts` (N of them) → states `[N, tokens, channels]`, every character taken as text.
  func encode(_ texts: [String]) -> Conditioning
  /// `texts` (N of them), read as asked for → states `[N, S, channels]`; S is a multiple of
  /// `tokens`.
  func encode(_ texts: [String], _ reading: PromptReading) -> Conditioning
  /// Tokens of `text` that do not fit and are left out.
  func truncatedCount(_ text: String) -> Int
  /// The same for a way to read it.
  func truncatedCount(_ text: String, _ reading: PromptReading) -> Int
}

extension TextConditioner {
  /// The last layer only.
  public var layers: Int { 1 }
  /// None.
  public var adaptableModel: (any Module)? { nil }
  /// Takes every character as text, whatever is asked for.
  public func encode(_ texts: [String], _ reading: PromptReading) -> Conditioning { encode(texts) }
  /// Does not depend on the way to read it.
  public func truncatedCount(_ text: String, _ reading: PromptReading) -> Int {
    truncatedCount(text)
  }
}

/// CLIP's text encoder: the last hidden states, padding seen, as Stable Diffusion 1 and 2 use it.
public struct CLIPConditioner: TextConditioner {
  private let model: CLIPTextModel
  private let tokenizer: CLIPTokenizer

  /// A conditioner of a model and the tokenizer it was trained with.
  public init(_ model: CLIPTextModel, _ tokenizer: CLIPTokenizer) {
    self.model = model
    self.tokenizer = tokenizer
  }

  /// The tokenizer's length, 77 for Stable Diffusion.
  public var tokens: Int { tokenizer.maxLength }
  /// The encoder's width.
  public var channels: Int { model.config.hiddenSize }

  /// The encoder's depth.
  public var layers: Int { model.config.numHiddenLayers }
  /// The encoder.
  public var adaptableModel: (any Module)? { model }

  /// `texts` → the last hidden states `[N, tokens, channels]`.
  public func encode(_ texts: [String]) -> Conditioning { encode(texts, PromptReading()) }

  /// `texts` → states of the layer asked for, with the final norm, `[N, S, channels]`; S is
  /// `tokens` for each chunk of the longest text.
  public func encode(_ texts: [String], _ reading: PromptReading) -> Conditioning {
    guard reading.rule != .literal else {
      let ids = texts.map { tokenizer.encode($0).ids }
      return Conditioning(states: states(ids, clipSkip: reading.clipSkip), mask: nil)
    }
    let distinct = Set(texts).sorted()
    let encoded = distinct.map { text in
      weighted(PromptChunk.chunks(of: text, reading.rule, tokenizer), reading)
    }
    let known = Dictionary(uniqueKeysWithValues: zip(distinct, encoded))
    return .joined(texts.compactMap { known[$0] })
  }

  /// The chunks of one text, with their weights, after each other, `[1, S, channels]`.
  private func weighted(_ chunks: [PromptChunk], _ reading: PromptReading) -> Conditioning {
    var states = states(chunks.map(\.ids), clipSkip: reading.clipSkip)  // [chunks, tokens, C]
    let weights = chunks.flatMap(\.weights)
    if weights.contains(where: { $0 != 1 }) {
      let factors = Tensor(weights, [chunks.count, tokens, 1])
      let isRestored = reading.rule == .a1111
      states =
        isRestored
        ? meanRestored(states, factors)
        : weightedFromEmpty(states, factors, clipSkip: reading.clipSkip)
    }
    return Conditioning(states: states.reshaped([1, weights.count, channels]), mask: nil)
  }

  /// AUTOMATIC1111's rule: states times weights, each chunk brought back to the mean it had.
  ///
  /// Source: `modules/sd_emphasis.py`, `EmphasisOriginal`. Shapes `[chunks, tokens, C]`,
  /// `[chunks, tokens, 1]`.
  private func meanRestored(_ states: Tensor, _ weights: Tensor) -> Tensor {
    let weighted = states * weights
    let mean = states.mean(axes: [1, 2], keepDims: true)
    return weighted * (mean / weighted.mean(axes: [1, 2], keepDims: true))
  }

  /// ComfyUI's rule: from the states of an empty text towards those of the text, and past them.
  ///
  /// Source: `comfy/sd1_clip.py`, `encode_token_weights`.
  private func weightedFromEmpty(_ states: Tensor, _ weights: Tensor, clipSkip: Int) -> Tensor {
    let empty = self.states([tokenizer.encode("").ids], clipSkip: clipSkip)  // [1, tokens, C]
    return (states - empty) * weights + empty
  }

  /// N lists of ids → states `[N, tokens, channels]`.
  private func states(_ ids: [[Int32]], clipSkip: Int) -> Tensor {
    let output = model(ids)
    guard clipSkip > 1 else { return output.lastHiddenState }
    let place = max(0, output.hiddenStates.count - clipSkip)
    return model.finalLayerNorm(output.hiddenStates[place])
  }

  /// Tokens that do not fit.
  public func truncatedCount(_ text: String) -> Int { tokenizer.encode(text).truncatedCount }

  /// None where long texts are cut into chunks.
  public func truncatedCount(_ text: String, _ reading: PromptReading) -> Int {
    reading.rule == .literal ? truncatedCount(text) : 0
  }
}

/// A BERT encoder: the last hidden states, padding hidden from the denoiser.
public struct BERTConditioner: TextConditioner {
  private let model: BertModel
  private let tokenizer: WordPieceTokenizer

  /// A conditioner of a model and the tokenizer it was trained with.
  public init(_ model: BertModel, _ tokenizer: WordPieceTokenizer) {
    self.model = model
    self.tokenizer = tokenizer
  }

  /// The tokenizer's length.
  public var tokens: Int { tokenizer.maxLength }
  /// The encoder's width.
  public var channels: Int { model.config.hiddenSize }

  /// `texts` → the last hidden states `[N, tokens, channels]`, zero where padding is, and its mask.
  public func encode(_ texts: [String]) -> Conditioning {
    let encoded = texts.map { tokenizer.encode($0) }
    let mask = Tensor(
      encoded.flatMap { $0.attentionMask.map(Float.init) }, [texts.count, tokens])
    let output = model(encoded.map(\.ids), mask: mask)
    return Conditioning(states: output.lastHiddenState * mask.unsqueezed(2), mask: mask)
  }

  /// Tokens that do not fit.
  public func truncatedCount(_ text: String) -> Int { tokenizer.encode(text).truncatedCount }
}
