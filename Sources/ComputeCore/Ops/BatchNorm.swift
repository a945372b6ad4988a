/// Batch normalisation by given statistics, as at inference.
///
/// Source: Ioffe & Szegedy 2015, arXiv:1502.03167.
///
/// - Parameters:
///   - x: `[N, ..., C]`.
///   - weight: `[C]`.
///   - bias: `[C]`.
///   - mean: `[C]`; not differentiated.
///   - variance: `[C]`; not differentiated.
///   - eps: added to the variance.
/// - Returns: `(x - mean) / sqrt(variance + eps) · weight + bias`.
public func batchNorm(
  _ x: Tensor, weight: Tensor, bias: Tensor, mean: Tensor, variance: Tensor, eps: Float = 1e-5
) -> Tensor {
  let span = profiled()
  defer { span?.end() }
  let norm = batchNormLayout(x, weight: weight, bias: bias, eps: eps)
  precondition(
    mean.shape == weight.shape && variance.shape == weight.shape,
    "batchNorm: expected statistics \(weight.shape), got \(mean.shape) and \(variance.shape)")
  let given = ChannelNorm.Statistics(mean: mean.detached(), variance: variance.detached())
  let (y, _) = norm(x, weight: weight, bias: bias, given: given)
  return recorded(y, norm, x, weight, bias, given, areConstant: true)
}

/// Batch normalisation by the statistics of the batch itself, as in training.
///
/// Source: Ioffe & Szegedy 2015, arXiv:1502.03167.
///
/// - Parameters:
///   - x: `[N, ..., C]`.
///   - weight: `[C]`.
///   - bias: `[C]`.
///   - eps: added to the variance.
/// - Returns: the result, and the mean and the biased variance (divided by the number of rows `n`)
///   of each channel, `[C]`, not recorded. torch's running variance takes `n / (n - 1)` times it.
public func batchNormTraining(
  _ x: Tensor, weight: Tensor, bias: Tensor, eps: Float = 1e-5
) -> (y: Tensor, mean: Tensor, variance: Tensor) {
  let span = profiled()
  defer { span?.end() }
  let norm = batchNormLayout(x, weight: weight, bias: bias, eps: eps)
  let (y, statistics) = norm(x, weight: weight, bias: bias)
  return (
    recorded(y, norm, x, weight, bias, statistics, areConstant: false),
    statistics.mean.reshaped(weight.shape), statistics.variance.reshaped(weight.shape)
  )
}

/// Batch normalisation is group normalisation of one item with a group per channel.
private func batchNormLayout(
  _ x: Tensor, weight: Tensor, bias: Tensor, eps: Float
) -> ChannelNorm {
  guard x.rank >= 2, let channels = x.shape.last, x.count > 0 else {
    preconditionFailure("batchNorm: x must be [N, ..., C] and not empty, got \(x.shape)")
  }
  precondition(
    weight.shape == [channels] && bias.shape == [channels],
    "batchNorm: expected weight and bias [\(channels)], got \(weight.shape) and \(bias.shape)")
  return ChannelNorm(
    n: 1, rows: x.count / channels, channels: channels, groups: channels, eps: eps, isSilu: false)
}

private func recorded(
  _ y: Tensor, _ norm: ChannelNorm, _ x: Tensor, _ weight: Tensor, _ bias: Tensor,
  _ statistics: ChannelNorm.Statistics, areConstant: Bool
) -> Tensor {
  let needs = ChannelNorm.Needs(x: x.isRecorded, parameters: weight.isRecorded || bias.isRecorded)
  let (savedX, savedWeight, savedBias) = (x.detached(), weight.detached(), bias.detached())
  return y.recorded(from: [x, weight, bias]) { dy in
    norm.vjp(
      dy, savedX, weight: savedWeight, bias: savedBias, statistics: statistics,
      areConstant: areConstant, needs: needs)
  }
}
