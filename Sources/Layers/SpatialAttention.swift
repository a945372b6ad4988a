import ComputeCore

/// Self-attention between the pixels of a picture, after a group norm and with a skip connection.
///
/// Source: diffusers `models/attention_processor.py`, `Attention` with `group_norm` and
/// `residual_connection`, as the VAE's middle block uses it.
public final class SpatialAttention: Module {
  /// Applied before the projections.
  public let groupNorm: GroupNorm
  /// Projects to queries.
  public let toQ: Linear
  /// Projects to keys.
  public let toK: Linear
  /// Projects to values.
  public let toV: Linear
  /// Projects the result.
  public let toOut: Linear
  /// Number of heads.
  public let heads: Int

  /// Checkpoints keep the output projection in a list, before a dropout.
  public static let keyOverrides = ["toOut": "to_out.0"]

  /// Attention over `channels` with biases everywhere; `heads` must divide `channels`.
  public init(_ channels: Int, heads: Int = 1, groups: Int, eps: Float) {
    groupNorm = GroupNorm(channels, groups: groups, eps: eps)
    toQ = Linear(channels, channels)
    toK = Linear(channels, channels)
    toV = Linear(channels, channels)
    toOut = Linear(channels, channels)
    self.heads = heads
  }

  /// `x` `[N, H, W, C]` → `[N, H, W, C]`.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    let type = Compute.factorType
    let h = groupNorm(x, output: type)
      .reshaped([x.shape[0], x.shape[1] * x.shape[2], x.shape[3]])
    let (q, k, v) = (toQ(h, output: type), toK(h, output: type), toV(h, output: type))
    let y = attention(q, k, v, heads: heads)  // [N, H · W, C]
    return toOut(y, adding: x.reshaped(h.shape)).reshaped(x.shape)
  }
}
