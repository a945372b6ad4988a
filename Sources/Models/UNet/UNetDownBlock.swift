import ComputeCore
import Layers

/// One level on the way down: residual blocks, each followed by a transformer where the level has
/// attention, then halving.
///
/// Source: diffusers `models/unets/unet_2d_blocks.py`, `DownBlock2D` and `CrossAttnDownBlock2D`.
final class UNetDownBlock: Module {
  let attentions: [Transformer2DModel]
  let resnets: [ResnetBlock2D]
  let downsamplers: [Downsample2D]

  init(
    _ inChannels: Int, level: UNetLevel, tembChannels: Int, config: UNetConfig, isLast: Bool
  ) {
    let channels = level.channels
    attentions = (0..<(level.hasAttentionDown ? level.resnets : 0)).map { _ in
      Transformer2DModel(level: level, config: config)
    }
    resnets = (0..<level.resnets).map { index in
      ResnetBlock2D(
        index == 0 ? inChannels : channels, channels, tembChannels: tembChannels,
        groups: config.normNumGroups, eps: config.normEps)
    }
    downsamplers = isLast ? [] : [Downsample2D(channels, padding: config.downsamplePadding)]
  }

  /// `x` `[N, H, W, in]` → the result `[N, H / 2, W / 2, C]`, and every intermediate one for the
  /// way up.
  func callAsFunction(
    _ x: Tensor, _ conditioning: UNetConditioning
  ) -> (result: Tensor, skips: [Tensor]) {
    var h = x
    var skips: [Tensor] = []
    for (index, resnet) in resnets.enumerated() {
      h = resnet(h, conditioning)
      if !attentions.isEmpty { h = attentions[index](h, conditioning) }
      skips.append(h)
    }
    for downsampler in downsamplers {
      h = downsampler(h)
      skips.append(h)
    }
    return (h, skips)
  }
}
