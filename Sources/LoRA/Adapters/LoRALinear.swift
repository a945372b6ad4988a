import ComputeCore
import Layers

/// A low-rank adapter of a linear layer.
public final class LoRALinear: LowRankAdapter {
  /// `[rank, in]`.
  public let down: Parameter
  /// `[out, rank]`.
  public let up: Parameter
  /// `rank` times the factor that belongs to the trained weights.
  public let alpha: Float
  /// Factor that whoever makes a picture chooses.
  public var strength: Float = 1

  /// An adapter without values that fits `layer`; where checkpoints store the layer as a 1×1
  /// convolution, so they do its adapter.
  public init(_ layer: Linear, rank: Int, alpha: Float) {
    let (outFeatures, inFeatures) = (layer.weight.shape[0], layer.weight.shape[1])
    let layout = layer.weight.layout
    down = Parameter([rank, inFeatures], .lowRankDown(fanIn: inFeatures), layout: layout)
    up = Parameter([outFeatures, rank], .zeros, layout: layout)
    self.alpha = alpha
  }

  /// `x` `[…, in]` → `[…, out]`.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    finish(linear(x, weight: down.value))
  }
}
