import ComputeCore

/// Normalisation of each channel over the batch and all pixels, then scale and shift.
///
/// While training it uses the batch's statistics and keeps running ones, which it uses otherwise.
/// Source: Ioffe & Szegedy 2015, arXiv:1502.03167; torch's `BatchNorm2d` for the running variance,
/// which is the unbiased one.
public final class BatchNorm2d: Module {
  /// `[C]`.
  public let weight: Parameter
  /// `[C]`.
  public let bias: Parameter
  /// `[C]`, a buffer.
  public let runningMean: Parameter
  /// `[C]`, a buffer.
  public let runningVar: Parameter
  /// Whether the batch's own statistics are used.
  public var isTraining = false
  /// Added to the variance.
  public let eps: Float
  /// Share of the batch in the new running statistics.
  public let momentum: Float

  /// - Parameters:
  ///   - channels: size of the last axis.
  ///   - eps: added to the variance.
  ///   - momentum: share of the batch in the new running statistics.
  public init(_ channels: Int, eps: Float = 1e-5, momentum: Float = 0.1) {
    weight = Parameter([channels], .ones)
    bias = Parameter([channels], .zeros)
    runningMean = Parameter([channels], .zeros, role: .buffer)
    runningVar = Parameter([channels], .ones, role: .buffer)
    self.eps = eps
    self.momentum = momentum
  }

  /// `x` `[N, H, W, C]` → the same shape.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    guard isTraining else {
      return batchNorm(
        x, weight: weight.value, bias: bias.value, mean: runningMean.value,
        variance: runningVar.value, eps: eps)
    }
    let (y, mean, variance) = batchNormTraining(
      x, weight: weight.value, bias: bias.value, eps: eps)
    Compute.withoutRecording {
      let n = Float(x.count / max(1, weight.count))
      let unbiased = variance.detached() * (n / max(1, n - 1))
      runningMean.value = runningMean.value * (1 - momentum) + mean.detached() * momentum
      runningVar.value = runningVar.value * (1 - momentum) + unbiased * momentum
    }
    return y
  }
}
