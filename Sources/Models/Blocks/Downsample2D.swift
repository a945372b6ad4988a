import ComputeCore
import Layers

/// Halves height and width with a strided 3×3 convolution.
///
/// Source: diffusers `models/downsampling.py`, `Downsample2D` with `use_conv`.
package final class Downsample2D: Module {
  let conv: Conv2d

  /// With `padding` 0 the picture gets one more row below and column to the right instead.
  package init(_ channels: Int, padding: Int) {
    conv = Conv2d(
      channels, channels, kernelSize: 3, stride: 2,
      padding: padding == 0 ? Padding(top: 0, bottom: 1, left: 0, right: 1) : Padding(padding))
  }

  /// `x` `[N, H, W, C]` → `[N, H / 2, W / 2, C]`, rounded up with a padding of 1, else down.
  package func callAsFunction(_ x: Tensor) -> Tensor { conv(x) }
}
