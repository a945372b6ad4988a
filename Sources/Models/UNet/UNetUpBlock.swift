import ComputeCore
import Layers

/// One level on the way up: residual blocks that also see what the way down kept, each followed by
/// a transformer where the level has attention, then doubling.
///
/// Source: diffusers `models/unets/unet_2d_blocks.py`, `UpBlock2D` and `CrossAttnUpBlock2D`.
final class UNetUpBlock: Module {
  let attentions: [Transformer2DModel]
  let resnets: [ResnetBlock2D]
  let upsamplers: [Upsample2D]

  /// - Parameters:
  ///   - inChannels: of what comes from below.
  ///   - outerChannels: of the next level up, which the last kept picture comes from.
  ///   - level: this level's settings.
  ///   - tembChannels: of the time embedding.
  ///   - config: the whole model's settings.
  ///   - isLast: whether this is the outermost level.
  init(
    _ inChannels: Int, outerChannels: Int, level: UNetLevel, tembChannels: Int,
    config: UNetConfig, isLast: Bool
  ) {
    let (count, channels) = (level.resnets + 1, level.channels)
    attentions = (0..<(level.hasAttentionUp ? count : 0)).map { _ in
      Transformer2DModel(level: level, config: config)
    }
    resnets = (0..<count).map { index in
      let below = index == 0 ? inChannels : channels
      let skip = index == count - 1 ? outerChannels : channels
      return ResnetBlock2D(
        below + skip, channels, tembChannels: tembChannels, groups: config.normNumGroups,
        eps: config.normEps)
    }
    upsamplers = isLast ? [] : [Upsample2D(channels)]
  }

  /// - Parameters:
  ///   - x: `[N, H, W, in]`.
  ///   - skips: what the way down kept; this level takes off its own, the last first.
  ///   - conditioning: for all blocks.
  ///   - size: height and width to upsample to.
  /// - Returns: `[N, H', W', C]`.
  func callAsFunction(
    _ x: Tensor, skips: inout [Tensor], _ conditioning: UNetConditioning,
    size: (height: Int, width: Int)?
  ) -> Tensor {
    var h = x
    for (index, resnet) in resnets.enumerated() {
      h = concatenated([h, skips.removeLast()])
      h = resnet(h, conditioning)
      if !attentions.isEmpty { h = attentions[index](h, conditioning) }
    }
    for upsampler in upsamplers { h = upsampler(h, size: size) }
    return h
  }
}
