import ComputeCore
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

  /// The batches of `first` and `second` after each other; both masked or both not.
  public static func joined(_ first: Conditioning, _ second: Conditioning) -> Conditioning {
    var mask: Tensor?
    if let a = first.mask, let b = second.mask { mask = concatenated([a, b], axis: 0) }
    return Conditioning(
      states: concatenated([first.states, second.states], axis: 0), mask: mask)
  }
}

/// Turns texts into what the denoiser's cross-attention reads.
public protocol TextConditioner {
  /// Tokens per text, padding included.
  var tokens: Int { get }
  /// Numbers per token.
  var channels: Int { get }

  /// `texts` (N of them) → states `[N, tokens, channels]`.
  func encode(_ texts: [String]) -> Conditioning
  /// Tokens of `text` that do not fit and are left out.
  func truncatedCount(_ text: String) -> Int
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

  /// `texts` → the last hidden states `[N, tokens, channels]`.
  public func encode(_ texts: [String]) -> Conditioning {
    let output = model(texts.map { tokenizer.encode($0).ids })
    return Conditioning(states: output.lastHiddenState, mask: nil)
  }

  /// Tokens that do not fit.
  public func truncatedCount(_ text: String) -> Int { tokenizer.encode(text).truncatedCount }
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
