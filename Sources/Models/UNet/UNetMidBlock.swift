import ComputeCore
import Layers

/// The deepest level: a residual block, and after it a transformer and another residual block
/// where the model has attention there.
///
/// Source: diffusers `models/unets/unet_2d_blocks.py`, `UNetMidBlock2DCrossAttn` and, as the U-Net
/// uses it, `UNetMidBlock2D`.
final class UNetMidBlock: Module {
  let attentions: [Transformer2DModel]
  let resnets: [ResnetBlock2D]

  init(level: UNetLevel, tembChannels: Int, config: UNetConfig) {
    attentions = config.hasMidAttention ? [Transformer2DModel(level: level, config: config)] : []
    resnets = (0...attentions.count).map { _ in
      ResnetBlock2D(
        level.channels, level.channels, tembChannels: tembChannels, groups: config.normNumGroups,
        eps: config.normEps)
    }
  }

  /// `x` `[N, H, W, C]` → `[N, H, W, C]`.
  func callAsFunction(_ x: Tensor, _ conditioning: UNetConditioning) -> Tensor {
    var h = resnets[0](x, conditioning)
    for (attention, resnet) in zip(attentions, resnets.dropFirst()) {
      h = resnet(attention(h, conditioning), conditioning)
    }
    return h
  }
}
