import ComputeCore
import Layers

/// Doubles height and width by repeating pixels, then smooths with a 3×3 convolution.
///
/// Source: diffusers `models/upsampling.py`, `Upsample2D` with `use_conv`.
package final class Upsample2D: Module {
  let conv: Conv2d

  package init(_ channels: Int) {
    conv = Conv2d(channels, channels, kernelSize: 3, padding: 1)
  }

  /// `x` `[N, H, W, C]` → `[N, 2 H, 2 W, C]`, or the given height and width.
  package func callAsFunction(_ x: Tensor, size: (height: Int, width: Int)? = nil) -> Tensor {
    let (height, width) = (2 * x.shape[1], 2 * x.shape[2])
    guard let size, size != (height, width) else { return conv.upsampled(x) }
    return conv(upsampledNearest(x, height: size.height, width: size.width))
  }
}
