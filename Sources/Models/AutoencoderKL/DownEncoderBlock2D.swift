import ComputeCore
import Layers

/// One level of the encoder: residual blocks, then halving.
///
/// Source: diffusers `models/unets/unet_2d_blocks.py`, `DownEncoderBlock2D`.
final class DownEncoderBlock2D: Module {
  let resnets: [ResnetBlock2D]
  let downsamplers: [Downsample2D]

  init(_ inChannels: Int, _ outChannels: Int, config: AutoencoderConfig, isLast: Bool) {
    resnets = (0..<config.layersPerBlock).map { index in
      ResnetBlock2D(index == 0 ? inChannels : outChannels, outChannels, config: config)
    }
    downsamplers = isLast ? [] : [Downsample2D(outChannels, padding: 0)]
  }

  /// `x` `[N, H, W, in]` → `[N, H / 2, W / 2, out]`.
  func callAsFunction(_ x: Tensor, isCheckpointed: Bool) -> Tensor {
    let h = resnets.reduce(x) { h, resnet in
      resnet.run([h], isCheckpointed: isCheckpointed) { resnet($0[0]) }
    }
    return downsamplers.reduce(h) { $1($0) }
  }
}

extension ResnetBlock2D {
  /// The residual block of the VAE, which knows no time.
  convenience init(_ inChannels: Int, _ outChannels: Int, config: AutoencoderConfig) {
    self.init(
      inChannels, outChannels, tembChannels: nil, groups: config.normNumGroups, eps: 1e-6)
  }
}
