import ComputeCore

/// A linear map of the last axis, `y = x Wᵀ + b`, plus its adapters' corrections.
public final class Linear: AdaptableLayer {
  /// `[out, in]`.
  public let weight: Parameter
  /// `[out]`.
  public let bias: Parameter?
  /// Each adds to the output.
  public var adapters: [any LinearAdapter] = []

  /// - Parameters:
  ///   - inFeatures: size of the last axis of the input.
  ///   - outFeatures: size of the last axis of the output.
  ///   - bias: whether a bias is added.
  ///   - isPointwise: whether checkpoints store the weight as a 1×1 convolution's.
  public init(
    _ inFeatures: Int, _ outFeatures: Int, bias: Bool = true, isPointwise: Bool = false
  ) {
    // torch's default: Kaiming uniform with a = √5, which is this bound.
    let start = Parameter.Initialization.uniform(bound: 1 / Float(max(1, inFeatures)).squareRoot())
    weight = Parameter([outFeatures, inFeatures], start, layout: isPointwise ? .pointwise : .plain)
    self.bias = bias ? Parameter([outFeatures], start) : nil
  }

  /// `x` `[…, in]`, of either type → `[…, out]` of type `output`, plus `residual` of that shape.
  public func callAsFunction(
    _ x: Tensor, adding residual: Tensor? = nil, output: DType = .float32
  ) -> Tensor {
    linear(
      x, weight: weight.value, bias: bias?.value, adding: sum(adapters.map { $0(x) } + [residual]),
      output: output)
  }

  /// `geglu` of the result, `[…, in]` → `[…, out / 2]`, of the type that the next product takes.
  func gated(_ x: Tensor) -> Tensor {
    adapters.isEmpty
      ? linearGEGLU(x, weight: weight.value, bias: bias?.value)
      : geglu(self(x, output: Compute.factorType))
  }
}
