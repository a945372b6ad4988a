import ComputeCore

/// Normalisation over the last axis, then scale and shift.
///
/// Source: Ba et al. 2016, arXiv:1607.06450.
public final class LayerNorm: Module {
  /// `[C]`.
  public let weight: Parameter
  /// `[C]`.
  public let bias: Parameter
  /// Added to the variance.
  public let eps: Float

  /// - Parameters:
  ///   - features: size of the last axis.
  ///   - eps: added to the variance.
  public init(_ features: Int, eps: Float = 1e-5) {
    weight = Parameter([features], .ones)
    bias = Parameter([features], .zeros)
    self.eps = eps
  }

  /// `x` `[…, C]` → the same shape, of type `output`.
  public func callAsFunction(_ x: Tensor, output: DType = .float32) -> Tensor {
    layerNorm(x, weight: weight.value, bias: bias.value, eps: eps, output: output)
  }
}
