import ComputeCore
import Layers

/// Vectors of tokens, positions and kinds, added and normalised.
///
/// Source: transformers `models/bert/modeling_bert.py`, `BertEmbeddings`.
final class BertEmbeddings: Module {
  let wordEmbeddings: Embedding
  let positionEmbeddings: Embedding
  let tokenTypeEmbeddings: Embedding
  let layerNorm: LayerNorm

  static let keyOverrides = ["layerNorm": "LayerNorm"]

  init(_ config: BertConfig) {
    wordEmbeddings = Embedding(config.vocabSize, config.hiddenSize, std: 0.02)
    positionEmbeddings = Embedding(config.maxPositionEmbeddings, config.hiddenSize, std: 0.02)
    tokenTypeEmbeddings = Embedding(config.typeVocabSize, config.hiddenSize, std: 0.02)
    layerNorm = LayerNorm(config.hiddenSize, eps: config.layerNormEps)
  }

  /// `ids` and `types` of shape `[N, T]` → `[N, T, C]`.
  func callAsFunction(_ ids: [Int32], types: [Int32], _ shape: Shape) -> Tensor {
    let positions = positionEmbeddings(Array(0..<Int32(shape[1])), [1, shape[1]])
    return layerNorm(wordEmbeddings(ids, shape) + tokenTypeEmbeddings(types, shape) + positions)
  }
}
