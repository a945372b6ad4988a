import Checkpoints
import ComputeCore
import Layers

/// What CLIP's text model makes of N texts of T tokens.
public struct CLIPTextOutput {
  /// After the last layer and the final norm, `[N, T, C]`.
  public let lastHiddenState: Tensor
  /// The embeddings and what every layer made of them, without the final norm, `[N, T, C]` each.
  public let hiddenStates: [Tensor]
  /// The last hidden state at the token that ends the text, `[N, C]`.
  public let poolerOutput: Tensor
}

/// The text half of CLIP, whose hidden states lead Stable Diffusion.
///
/// Source: Radford et al. 2021, arXiv:2103.00020; keys and order of operations as in transformers
/// `models/clip/modeling_clip.py`, `CLIPTextModel`.
public final class CLIPTextModel: ConfiguredModule {
  /// The settings it was built from.
  public let config: CLIPTextConfig
  let textModel: CLIPTextTransformer

  /// Name of its weight files without extension.
  public static let weightsName = "model"

  /// With and without the `text_model.` prefix.
  public static let keyMap = KeyMap.clipText

  /// Builds the model without values.
  public init(_ config: CLIPTextConfig) throws(ConfigError) {
    try config.validate()
    self.config = config
    textModel = CLIPTextTransformer(config, activation: try TextActivation(named: config.hiddenAct))
  }

  /// - Parameters:
  ///   - ids: N lists of T tokens each, at most `maxPositionEmbeddings`.
  ///   - mask: `[N, T]`, 1 where a token counts and 0 where not; Stable Diffusion uses none.
  /// - Returns: hidden states and the pooled output.
  public func callAsFunction(_ ids: [[Int32]], mask: Tensor? = nil) -> CLIPTextOutput {
    let (flat, shape) = flattened(
      ids, vocabularySize: config.vocabSize, limit: config.maxPositionEmbeddings)
    var x = textModel.embeddings(flat, shape)
    var hiddenStates = [x]
    for layer in textModel.encoder.layers {
      x = layer(x, mask: mask)
      hiddenStates.append(x)
    }
    let last = finalLayerNorm(x)  // [N, T, C]
    let ends = ids.enumerated().map { row, text in
      Int32(row * text.count + endPosition(text))
    }
    let pooled = embedding(
      ids: ends, shape: [ids.count], weight: last.reshaped([flat.count, config.hiddenSize]))
    return CLIPTextOutput(lastHiddenState: last, hiddenStates: hiddenStates, poolerOutput: pooled)
  }

  /// The norm after the last layer, which "clip skip" applies to an earlier hidden state.
  public func finalLayerNorm(_ hiddenState: Tensor) -> Tensor {
    textModel.finalLayerNorm(hiddenState)
  }

  /// Where the text ends: the first largest id for configs that say 2, else the first end token.
  private func endPosition(_ text: [Int32]) -> Int {
    let end = config.eosTokenId == 2 ? text.max() : Int32(exactly: config.eosTokenId)
    return end.flatMap(text.firstIndex) ?? 0
  }
}

/// Everything that has the prefix `text_model.`.
final class CLIPTextTransformer: Module {
  let embeddings: CLIPTextEmbeddings
  let encoder: CLIPEncoder
  let finalLayerNorm: LayerNorm

  init(_ config: CLIPTextConfig, activation: TextActivation) {
    embeddings = CLIPTextEmbeddings(config)
    encoder = CLIPEncoder(config, activation: activation)
    finalLayerNorm = LayerNorm(config.hiddenSize, eps: config.layerNormEps)
  }
}

/// The layers, in order.
final class CLIPEncoder: Module {
  let layers: [CLIPEncoderLayer]

  init(_ config: CLIPTextConfig, activation: TextActivation) {
    layers = (0..<config.numHiddenLayers).map { _ in
      CLIPEncoderLayer(config, activation: activation)
    }
  }
}
