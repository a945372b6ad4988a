import ComputeCore

/// Normalisation over the pixels and channels of each group, then scale and shift per channel.
///
/// Source: Wu & He 2018, arXiv:1803.08494.
public final class GroupNorm: Module {
  /// `[C]`.
  public let weight: Parameter
  /// `[C]`.
  public let bias: Parameter
  /// Number of groups that the channels are split into.
  public let groups: Int
  /// Added to the variance.
  public let eps: Float

  /// - Parameters:
  ///   - channels: size of the last axis; a multiple of `groups`.
  ///   - groups: number of groups.
  ///   - eps: added to the variance.
  public init(_ channels: Int, groups: Int, eps: Float) {
    precondition(
      groups > 0 && channels % groups == 0,
      "GroupNorm: \(channels) channels do not split into \(groups) groups")
    weight = Parameter([channels], .ones)
    bias = Parameter([channels], .zeros)
    self.groups = groups
    self.eps = eps
  }

  /// `x` `[N, H, W, C]` or `[N, T, C]`, of either type → the same shape, of type `output`.
  public func callAsFunction(_ x: Tensor, output: DType = .float32) -> Tensor {
    groupNorm(
      x, groups: groups, weight: weight.value, bias: bias.value, eps: eps, activation: .none,
      output: output)
  }

  /// The same followed by SiLU, in one pass; of type `output`.
  public func thenSilu(_ x: Tensor, output: DType = .float32) -> Tensor {
    groupNorm(
      x, groups: groups, weight: weight.value, bias: bias.value, eps: eps, activation: .silu,
      output: output)
  }

  /// `thenSilu` of a part of one picture, by the moments of all of it.
  package func thenSilu(_ x: Tensor, by moments: GroupMoments, output: DType) -> Tensor {
    groupNorm(
      x, by: moments, weight: weight.value, bias: bias.value, eps: eps, activation: .silu,
      output: output)
  }
}
