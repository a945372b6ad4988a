import ComputeCore
import Layers

/// From latents to pictures.
///
/// Source: diffusers `models/autoencoders/vae.py`, `Decoder`.
final class AutoencoderDecoder: Module {
  let convIn: Conv2d
  let midBlock: AutoencoderMidBlock
  let upBlocks: [UpDecoderBlock2D]
  let convNormOut: GroupNorm
  let convOut: Conv2d

  init(_ config: AutoencoderConfig) {
    let channels = Array(config.blockOutChannels.reversed())
    convIn = Conv2d(config.latentChannels, channels[0], kernelSize: 3, padding: 1)
    midBlock = AutoencoderMidBlock(channels[0], config: config)
    upBlocks = channels.indices.map { i in
      UpDecoderBlock2D(
        channels[max(0, i - 1)], channels[i], config: config, isLast: i == channels.count - 1)
    }
    let outermost = channels[channels.count - 1]
    convNormOut = GroupNorm(outermost, groups: config.normNumGroups, eps: 1e-6)
    convOut = Conv2d(outermost, config.outChannels, kernelSize: 3, padding: 1)
  }

  /// `z` `[N, h, w, latentChannels]` → `[N, H, W, outChannels]`.
  func callAsFunction(_ z: Tensor, isCheckpointed: Bool) -> Tensor {
    var h = midBlock(convIn(z), isCheckpointed: isCheckpointed)
    for block in upBlocks { h = block(h, isCheckpointed: isCheckpointed) }
    return convOut(convNormOut.thenSilu(h, output: Compute.factorType))
  }
}
