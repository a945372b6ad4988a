import Checkpoints
import ComputeCore
import Layers

/// What BERT makes of N texts of T tokens.
public struct BertResult {
  /// After the last layer, `[N, T, C]`.
  public let lastHiddenState: Tensor
  /// The embeddings and what every layer made of them, `[N, T, C]` each.
  public let hiddenStates: [Tensor]
  /// The pooling layer's view of the first token, `[N, C]`, if the model has that layer.
  public let poolerOutput: Tensor?
}

/// A text encoder in which all tokens see each other, such as MiniLM.
///
/// Source: Devlin et al. 2018, arXiv:1810.04805; keys and order of operations as in transformers
/// `models/bert/modeling_bert.py`, `BertModel`.
public final class BertModel: ConfiguredModule {
  /// The settings it was built from.
  public let config: BertConfig
  let embeddings: BertEmbeddings
  let encoder: BertEncoder
  let pooler: BertPooler?

  /// Name of its weight files without extension.
  public static let weightsName = "model"

  /// Bare or inside a larger model.
  public static let keyMap = KeyMap.bert

  /// Builds the model without values.
  public init(_ config: BertConfig) throws(ConfigError) {
    try config.validate()
    let activation = try TextActivation(named: config.hiddenAct)
    self.config = config
    embeddings = BertEmbeddings(config)
    encoder = BertEncoder(config, activation: activation)
    pooler = config.addPoolingLayer ? BertPooler(config) : nil
  }

  /// A pooling layer if the file has one.
  public static func config(_ config: BertConfig, adjustedTo keys: [String]) -> BertConfig {
    var adjusted = config
    adjusted.addPoolingLayer = keys.contains { $0.hasSuffix("pooler.dense.weight") }
    return adjusted
  }

  /// - Parameters:
  ///   - ids: N lists of T tokens each, at most `maxPositionEmbeddings`.
  ///   - mask: `[N, T]`, 1 where a token counts and 0 where not; all count when left out.
  ///   - tokenTypes: kind of each token, shaped as `ids`; all 0 when left out.
  /// - Returns: hidden states and the pooled output.
  public func callAsFunction(
    _ ids: [[Int32]], mask: Tensor? = nil, tokenTypes: [[Int32]]? = nil
  ) -> BertResult {
    let (flat, shape) = flattened(
      ids, vocabularySize: config.vocabSize, limit: config.maxPositionEmbeddings)
    let types =
      tokenTypes.map {
        flattened($0, vocabularySize: config.typeVocabSize, limit: shape[1]).ids
      } ?? [Int32](repeating: 0, count: flat.count)
    var x = embeddings(flat, types: types, shape)
    var hiddenStates = [x]
    for layer in encoder.layer {
      x = layer(x, mask: mask)
      hiddenStates.append(x)
    }
    return BertResult(lastHiddenState: x, hiddenStates: hiddenStates, poolerOutput: pooler?(x))
  }
}

/// The layers, in order.
final class BertEncoder: Module {
  let layer: [BertLayer]

  init(_ config: BertConfig, activation: TextActivation) {
    layer = (0..<config.numHiddenLayers).map { _ in BertLayer(config, activation: activation) }
  }
}

/// A linear layer and tanh on the first token.
final class BertPooler: Module {
  let dense: Linear

  init(_ config: BertConfig) {
    dense = Linear(config.hiddenSize, config.hiddenSize)
  }

  /// `x` `[N, T, C]` → `[N, C]`.
  func callAsFunction(_ x: Tensor) -> Tensor {
    tanh(dense(x.sliced(axis: 1, 0..<1).squeezed(1)))
  }
}
