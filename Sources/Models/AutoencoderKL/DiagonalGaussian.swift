import ComputeCore

/// A normal distribution with its own mean and variance for every number of the latents.
///
/// Source: diffusers `models/autoencoders/vae.py`, `DiagonalGaussianDistribution`.
public struct DiagonalGaussian {
  /// `[N, h, w, C]`.
  public let mean: Tensor
  /// Natural logarithm of the variance, in [-30, 20], `[N, h, w, C]`.
  public let logvar: Tensor

  /// From moments `[N, h, w, 2 · C]`: means, then logarithms of variances.
  public init(moments: Tensor) {
    let channels = moments.shape[3] / 2
    let parts = moments.split(axis: 3, sizes: [channels, channels])
    mean = parts[0]
    logvar = parts[1].clamped(to: -30...20)
  }

  /// Standard deviation, `[N, h, w, C]`.
  public var std: Tensor { exp(0.5 * logvar) }

  /// A random sample `[N, h, w, C]`, drawn channels first as torch does.
  public func sample(using generator: inout TorchGenerator) -> Tensor {
    let (n, h, w, c) = (mean.shape[0], mean.shape[1], mean.shape[2], mean.shape[3])
    let noise = Tensor.randn([n, c, h, w], using: &generator).transposed([0, 2, 3, 1])
    return mean + std * noise
  }

  /// Divergence from the standard normal distribution, summed over each picture, `[N]`.
  public func klDivergence() -> Tensor {
    0.5 * (square(mean) + exp(logvar) - 1 - logvar).sum(axes: [1, 2, 3])
  }
}
