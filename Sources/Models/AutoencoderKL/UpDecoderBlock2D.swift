import ComputeCore
import Layers

/// One level of the decoder: residual blocks, then doubling.
///
/// Source: diffusers `models/unets/unet_2d_blocks.py`, `UpDecoderBlock2D`.
final class UpDecoderBlock2D: Module {
  let resnets: [ResnetBlock2D]
  let upsamplers: [Upsample2D]

  init(_ inChannels: Int, _ outChannels: Int, config: AutoencoderConfig, isLast: Bool) {
    resnets = (0...config.layersPerBlock).map { index in
      ResnetBlock2D(index == 0 ? inChannels : outChannels, outChannels, config: config)
    }
    upsamplers = isLast ? [] : [Upsample2D(outChannels)]
  }

  /// `x` `[N, H, W, in]` → `[N, 2 H, 2 W, out]`.
  func callAsFunction(_ x: Tensor, isCheckpointed: Bool) -> Tensor {
    let h = resnets.reduce(x) { h, resnet in
      resnet.run([h], isCheckpointed: isCheckpointed) { resnet($0[0]) }
    }
    return upsamplers.reduce(h) { $1($0) }
  }
}
