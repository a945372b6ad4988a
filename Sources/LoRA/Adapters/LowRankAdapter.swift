import ComputeCore
import Layers

/// A learnt change of a layer's weight that is the product of two thin matrices.
///
/// The layer computes `y = W x + strength · scale · up(down(x))`, where `scale = alpha / rank`.
/// Source: Hu et al. 2021, arXiv:2106.09685, section 4.1.
public protocol LowRankAdapter: LinearAdapter {
  /// `[rank, in]`, or `[rank, kh, kw, in]` for a convolution.
  var down: Parameter { get }
  /// `[out, rank]`.
  var up: Parameter { get }
  /// What `scale` is the multiple of `1 / rank` of.
  var alpha: Float { get }
  /// Factor that whoever makes a picture chooses: 0 switches the adapter off, 1 is as trained.
  var strength: Float { get set }
}

extension LowRankAdapter {
  /// Channels between the two matrices.
  public var rank: Int { up.shape[1] }

  /// `alpha / rank`, the factor that belongs to the trained weights.
  public var scale: Float { alpha / Float(rank) }

  /// Both matrices.
  public var parameters: [Parameter] { [down, up] }

  /// `strength · scale · up · down`, what the adapter adds to the layer's weight, in its shape.
  ///
  /// Always computed in 32 bits and not recorded for gradients.
  public func weightChange() -> Tensor {
    var exact = Compute.current
    exact.precision = .float32
    exact.isRecording = false
    return Compute.$current.withValue(exact) {
      let flatDown = down.value.reshaped([rank, -1])  // [rank, kh · kw · in]
      let product = matmul(up.value, flatDown) * (strength * scale)  // [out, kh · kw · in]
      return product.reshaped([up.shape[0]] + down.shape.dropFirst())
    }
  }

  /// Starts training: `down` Kaiming uniform with a = √5, `up` zero, so nothing changes at first.
  ///
  /// Source: peft `tuners/lora/layer.py`, `reset_lora_parameters`.
  func initialize(using generator: inout TorchGenerator) {
    down.initialize(using: &generator)
    up.initialize(using: &generator)
  }

  /// `h` `[…, rank]` → the correction `[…, out]`; the factor is applied where channels are few.
  func finish(_ h: Tensor) -> Tensor {
    let factor = strength * scale
    return linear(factor == 1 ? h : h * factor, weight: up.value)
  }
}

extension Parameter.Initialization {
  /// Kaiming uniform with a = √5 for a map with `fanIn` inputs, whose bound is `1 / √fanIn`.
  static func lowRankDown(fanIn: Int) -> Parameter.Initialization {
    .uniform(bound: 1 / Float(max(1, fanIn)).squareRoot())
  }
}
