import ComputeCore
import Layers

/// A low-rank adapter of a convolution: its kernel with few output channels, then a 1×1 kernel.
///
/// Source: the LoCon scheme of KohakuBlueleaf/LyCORIS, as kohya and peft compute it.
public final class LoRAConv2d: LowRankAdapter {
  /// `[rank, kh, kw, in]`.
  public let down: Parameter
  /// `[out, rank]`; checkpoints have `[out, rank, 1, 1]`.
  public let up: Parameter
  /// `rank` times the factor that belongs to the trained weights.
  public let alpha: Float
  /// Factor that whoever makes a picture chooses.
  public var strength: Float = 1
  private let stride: Int
  private let padding: Padding

  /// An adapter without values that fits `layer`.
  public init(_ layer: Conv2d, rank: Int, alpha: Float) {
    let kernel = Array(layer.weight.shape.dropFirst())  // [kh, kw, in]
    down = Parameter(
      [rank] + kernel, .lowRankDown(fanIn: kernel.reduce(1, *)), layout: .convolution)
    up = Parameter([layer.weight.shape[0], rank], .zeros, layout: .pointwise)
    self.alpha = alpha
    stride = layer.stride
    padding = layer.padding
  }

  /// `x` `[N, H, W, in]` → `[N, H', W', out]`.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    finish(conv2d(x, weight: down.value, stride: stride, padding: padding))
  }
}
