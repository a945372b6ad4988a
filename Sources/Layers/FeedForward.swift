import ComputeCore

/// Two linear layers with a gated GELU between them, four times as wide inside.
///
/// Source: Shazeer 2020, arXiv:2002.05202 (GEGLU); keys as in diffusers `models/attention.py`,
/// `FeedForward`.
public final class FeedForward: Module {
  /// Gives values and gates side by side, `[2 · inner, features]`.
  public let projection: Linear
  /// Projects back.
  public let output: Linear

  /// Checkpoints number the layers, with a dropout as the second.
  public static let keyOverrides = ["projection": "net.0.proj", "output": "net.2"]

  /// Layers for `features` channels that are `multiplier` times as wide inside.
  public init(_ features: Int, multiplier: Int = 4) {
    projection = Linear(features, 2 * multiplier * features)
    output = Linear(multiplier * features, features)
  }

  /// `x` `[…, features]`, of either type → the same shape, plus `residual` of that shape.
  public func callAsFunction(_ x: Tensor, adding residual: Tensor? = nil) -> Tensor {
    output(projection.gated(x), adding: residual)
  }
}
