import ComputeCore
import Layers

/// Vectors of tokens plus vectors of positions.
///
/// Source: transformers `models/clip/modeling_clip.py`, `CLIPTextEmbeddings`.
final class CLIPTextEmbeddings: Module {
  let tokenEmbedding: Embedding
  let positionEmbedding: Embedding

  init(_ config: CLIPTextConfig) {
    tokenEmbedding = Embedding(config.vocabSize, config.hiddenSize, std: 0.02)
    positionEmbedding = Embedding(config.maxPositionEmbeddings, config.hiddenSize, std: 0.02)
  }

  /// `ids` of shape `[N, T]` → `[N, T, C]`.
  func callAsFunction(_ ids: [Int32], _ shape: Shape) -> Tensor {
    tokenEmbedding(ids, shape) + positionEmbedding(Array(0..<Int32(shape[1])), [1, shape[1]])
  }
}
