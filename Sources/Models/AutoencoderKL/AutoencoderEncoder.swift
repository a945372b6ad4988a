import ComputeCore
import Layers

/// From pictures to the moments of their latents.
///
/// Source: diffusers `models/autoencoders/vae.py`, `Encoder` with `double_z`.
final class AutoencoderEncoder: Module {
  let convIn: Conv2d
  let downBlocks: [DownEncoderBlock2D]
  let midBlock: AutoencoderMidBlock
  let convNormOut: GroupNorm
  let convOut: Conv2d

  init(_ config: AutoencoderConfig) {
    let channels = config.blockOutChannels
    let deepest = channels[channels.count - 1]
    convIn = Conv2d(config.inChannels, channels[0], kernelSize: 3, padding: 1)
    downBlocks = channels.indices.map { i in
      DownEncoderBlock2D(
        channels[max(0, i - 1)], channels[i], config: config, isLast: i == channels.count - 1)
    }
    midBlock = AutoencoderMidBlock(deepest, config: config)
    convNormOut = GroupNorm(deepest, groups: config.normNumGroups, eps: 1e-6)
    convOut = Conv2d(deepest, 2 * config.latentChannels, kernelSize: 3, padding: 1)
  }

  /// `x` `[N, H, W, inChannels]` → `[N, h, w, 2 · latentChannels]`.
  func callAsFunction(_ x: Tensor, isCheckpointed: Bool) -> Tensor {
    var h = convIn(x)
    for block in downBlocks { h = block(h, isCheckpointed: isCheckpointed) }
    h = midBlock(h, isCheckpointed: isCheckpointed)
    return convOut(convNormOut.thenSilu(h, output: Compute.factorType))
  }
}
