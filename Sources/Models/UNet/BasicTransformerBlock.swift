import ComputeCore
import Layers

/// Attention among pixels, attention to the text, and a feed-forward network, each after a norm
/// and with a skip connection.
///
/// Source: diffusers `models/attention.py`, `BasicTransformerBlock` with `layer_norm`.
final class BasicTransformerBlock: Module {
  let norm1: LayerNorm
  let attn1: Attention
  let norm2: LayerNorm
  let attn2: Attention
  let norm3: LayerNorm
  let ff: FeedForward

  init(_ channels: Int, heads: Int, contextDim: Int) {
    let headDim = channels / heads
    norm1 = LayerNorm(channels)
    attn1 = Attention(channels, heads: heads, headDim: headDim)
    norm2 = LayerNorm(channels)
    attn2 = Attention(channels, contextDim: contextDim, heads: heads, headDim: headDim)
    norm3 = LayerNorm(channels)
    ff = FeedForward(channels)
  }

  /// `x` `[N, T, C]`, `context` `[N, S, contextDim]`, `mask` `[N, S]` → `[N, T, C]`.
  func callAsFunction(_ x: Tensor, context: Tensor?, mask: Tensor?) -> Tensor {
    let type = Compute.factorType
    var h = attn1(norm1(x, output: type), adding: x)
    h = attn2(norm2(h, output: type), context: context, mask: mask, adding: h)
    return ff(norm3(h, output: type), adding: h)
  }
}
