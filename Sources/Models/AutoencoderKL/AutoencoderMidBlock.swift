import ComputeCore
import Layers

/// The deepest level of encoder and decoder: residual blocks around attention between pixels.
///
/// Source: diffusers `models/unets/unet_2d_blocks.py`, `UNetMidBlock2D`.
final class AutoencoderMidBlock: Module {
  let attentions: [SpatialAttention]
  let resnets: [ResnetBlock2D]

  init(_ channels: Int, config: AutoencoderConfig) {
    attentions =
      config.midBlockAddAttention
      ? [SpatialAttention(channels, groups: config.normNumGroups, eps: 1e-6)] : []
    resnets = (0..<2).map { _ in ResnetBlock2D(channels, channels, config: config) }
  }

  /// `x` `[N, H, W, C]` → `[N, H, W, C]`.
  func callAsFunction(_ x: Tensor, isCheckpointed: Bool) -> Tensor {
    let (first, second) = (resnets[0], resnets[1])
    let h = first.run([x], isCheckpointed: isCheckpointed) { first($0[0]) }
    let attended = attentions.reduce(h) { h, attention in
      attention.run([h], isCheckpointed: isCheckpointed) { attention($0[0]) }
    }
    return second.run([attended], isCheckpointed: isCheckpointed) { second($0[0]) }
  }
}
