/// What follows a normalisation in the same pass.
public enum NormActivation: Sendable {
  /// Nothing.
  case none
  /// `silu`.
  case silu
}

/// Group normalisation over the pixels and the channels of each group, and an activation after it.
///
/// Source: Wu & He 2018, arXiv:1803.08494. Equal to `silu(groupNorm(x))` with fewer passes.
///
/// - Parameters:
///   - x: `[N, ..., C]`, of either type.
///   - groups: number of groups; divides `C`.
///   - weight: `[C]`.
///   - bias: `[C]`.
///   - eps: added to the variance.
///   - activation: applied to the result.
///   - output: type of the result.
/// - Returns: a tensor of `x`'s shape.
public func groupNorm(
  _ x: Tensor, groups: Int, weight: Tensor, bias: Tensor, eps: Float,
  activation: NormActivation = .none, output: DType = .float32
) -> Tensor {
  let span = profiled()
  defer { span?.end() }
  guard x.rank >= 2, let channels = x.shape.last, groups > 0, channels % groups == 0 else {
    preconditionFailure("groupNorm: \(groups) groups do not divide the channels of \(x.shape)")
  }
  precondition(
    weight.shape == [channels] && bias.shape == [channels],
    "groupNorm: expected weight and bias [\(channels)], got \(weight.shape) and \(bias.shape)")
  let norm = ChannelNorm(
    n: x.shape[0], rows: x.shape.dropFirst().dropLast().reduce(1, *), channels: channels,
    groups: groups, eps: eps, isSilu: activation == .silu)
  let (y, statistics) = norm(x, weight: weight, bias: bias, output: output)
  let needs = ChannelNorm.Needs(x: x.isRecorded, parameters: weight.isRecorded || bias.isRecorded)
  let (savedX, savedWeight, savedBias) = (x.detached(), weight.detached(), bias.detached())
  return y.recorded(from: [x, weight, bias]) { dy in
    norm.vjp(
      dy, savedX, weight: savedWeight, bias: savedBias, statistics: statistics,
      needs: needs)
  }
}
