import ComputeCore
import Layers

/// Attention and a feed-forward network, each with a skip connection and a norm after it.
///
/// Source: transformers `models/bert/modeling_bert.py`, `BertLayer`.
final class BertLayer: Module {
  let attention: BertAttention
  let intermediate: BertIntermediate
  let output: BertOutput
  private let activation: TextActivation

  init(_ config: BertConfig, activation: TextActivation) {
    attention = BertAttention(config)
    intermediate = BertIntermediate(config)
    output = BertOutput(config.intermediateSize, config)
    self.activation = activation
  }

  /// `x` `[N, T, C]`, `mask` `[N, T]` → `[N, T, C]`.
  func callAsFunction(_ x: Tensor, mask: Tensor?) -> Tensor {
    let h = attention(x, mask: mask)
    return output(activation(intermediate.dense(h)), skip: h)
  }
}

/// Attention between all tokens, and what follows it.
final class BertAttention: Module {
  let selfAttention: BertSelfAttention
  let output: BertOutput

  static let keyOverrides = ["selfAttention": "self"]

  init(_ config: BertConfig) {
    selfAttention = BertSelfAttention(config)
    output = BertOutput(config.hiddenSize, config)
  }

  /// `x` `[N, T, C]`, `mask` `[N, T]` → `[N, T, C]`.
  func callAsFunction(_ x: Tensor, mask: Tensor?) -> Tensor {
    output(selfAttention(x, mask: mask), skip: x)
  }
}

/// Attention between all tokens.
final class BertSelfAttention: Module {
  let query: Linear
  let key: Linear
  let value: Linear
  private let heads: Int

  init(_ config: BertConfig) {
    query = Linear(config.hiddenSize, config.hiddenSize)
    key = Linear(config.hiddenSize, config.hiddenSize)
    value = Linear(config.hiddenSize, config.hiddenSize)
    heads = config.numAttentionHeads
  }

  /// `x` `[N, T, C]`, `mask` `[N, T]` → `[N, T, C]`.
  func callAsFunction(_ x: Tensor, mask: Tensor?) -> Tensor {
    attention(query(x), key(x), value(x), heads: heads, mask: mask)
  }
}

/// The first half of the feed-forward network.
final class BertIntermediate: Module {
  let dense: Linear

  init(_ config: BertConfig) {
    dense = Linear(config.hiddenSize, config.intermediateSize)
  }
}

/// A linear layer, then the skip connection, then the norm.
final class BertOutput: Module {
  let dense: Linear
  let layerNorm: LayerNorm

  static let keyOverrides = ["layerNorm": "LayerNorm"]

  init(_ inFeatures: Int, _ config: BertConfig) {
    dense = Linear(inFeatures, config.hiddenSize)
    layerNorm = LayerNorm(config.hiddenSize, eps: config.layerNormEps)
  }

  /// `x` `[N, T, in]`, `skip` `[N, T, C]` → `[N, T, C]`.
  func callAsFunction(_ x: Tensor, skip: Tensor) -> Tensor {
    layerNorm(dense(x) + skip)
  }
}
