import ComputeCore
import Layers

/// Attention to earlier tokens and a feed-forward network, each after a norm and with a skip
/// connection.
///
/// Source: transformers `models/clip/modeling_clip.py`, `CLIPEncoderLayer`.
final class CLIPEncoderLayer: Module {
  let selfAttn: CLIPAttention
  let layerNorm1: LayerNorm
  let mlp: CLIPMLP
  let layerNorm2: LayerNorm

  init(_ config: CLIPTextConfig, activation: TextActivation) {
    selfAttn = CLIPAttention(config.hiddenSize, heads: config.numAttentionHeads)
    layerNorm1 = LayerNorm(config.hiddenSize, eps: config.layerNormEps)
    mlp = CLIPMLP(config.hiddenSize, config.intermediateSize, activation: activation)
    layerNorm2 = LayerNorm(config.hiddenSize, eps: config.layerNormEps)
  }

  /// `x` `[N, T, C]`, `mask` `[N, T]` → `[N, T, C]`.
  func callAsFunction(_ x: Tensor, mask: Tensor?) -> Tensor {
    let h = x + selfAttn(layerNorm1(x), mask: mask)
    return h + mlp(layerNorm2(h))
  }
}

/// Attention in which a token sees itself and those before it.
final class CLIPAttention: Module {
  let kProj: Linear
  let vProj: Linear
  let qProj: Linear
  let outProj: Linear
  private let heads: Int

  init(_ channels: Int, heads: Int) {
    kProj = Linear(channels, channels)
    vProj = Linear(channels, channels)
    qProj = Linear(channels, channels)
    outProj = Linear(channels, channels)
    self.heads = heads
  }

  /// `x` `[N, T, C]`, `mask` `[N, T]` → `[N, T, C]`.
  func callAsFunction(_ x: Tensor, mask: Tensor?) -> Tensor {
    outProj(attention(qProj(x), kProj(x), vProj(x), heads: heads, mask: mask, isCausal: true))
  }
}

/// Two linear layers with an activation between them.
final class CLIPMLP: Module {
  let fc1: Linear
  let fc2: Linear
  private let activation: TextActivation

  init(_ channels: Int, _ inner: Int, activation: TextActivation) {
    fc1 = Linear(channels, inner)
    fc2 = Linear(inner, channels)
    self.activation = activation
  }

  /// `x` `[…, C]` → `[…, C]`.
  func callAsFunction(_ x: Tensor) -> Tensor {
    fc2(activation(fc1(x)))
  }
}
