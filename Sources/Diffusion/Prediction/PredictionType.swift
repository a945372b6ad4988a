import ComputeCore

/// What a model puts out for a noisy sample `√ā·x₀ + √(1 − ā)·noise`.
///
/// Raw values are the names in a diffusers `scheduler_config.json`.
public enum PredictionType: String, CaseIterable, Codable, Sendable {
  /// The noise. Source: Ho et al. 2020, arXiv:2006.11239.
  case epsilon
  /// The velocity `√ā·noise − √(1 − ā)·x₀`. Source: Salimans & Ho 2022, arXiv:2202.00512.
  case v = "v_prediction"
  /// The clean picture `x₀`.
  case sample
  /// The direction from picture to noise, `noise − x₀`. Source: Liu et al. 2022, arXiv:2209.03003.
  case flow = "flow_prediction"
}

/// A model's output for one sample, which can be read as a clean picture or as noise.
public struct Prediction {
  /// What the model put out; `sample`'s shape.
  public let output: Tensor
  /// What the output is.
  public let type: PredictionType
  /// The noisy sample, as the solver holds it (before it was scaled for the model).
  public let sample: Tensor
  /// How much of a picture and how much noise `sample` holds.
  public let level: NoiseLevel
  /// The magnitude `denoised` is clipped to, if it is.
  public let clipRange: Float?

  /// A prediction for `sample` at `level`.
  public init(
    _ output: Tensor, _ type: PredictionType, of sample: Tensor, at level: NoiseLevel,
    clipRange: Float? = nil
  ) {
    self.output = output
    self.type = type
    self.sample = sample
    self.level = level
    self.clipRange = clipRange
  }

  /// The estimate of the clean picture, clipped where the model asks for it.
  public var denoised: Tensor {
    clipRange.map { clean.clamped(to: -$0...$0) } ?? clean
  }

  /// The estimate of the noise; not affected by clipping.
  public var noise: Tensor {
    let (alpha, sigma, scale) = (level.alpha, level.sigma, level.magnitude)
    return switch type {
    case .epsilon: output
    case .v: output * (alpha / scale) + sample * (sigma / (scale * scale))
    case .sample: (sample - output * alpha) / sigma
    case .flow: (sample + output * alpha) / (alpha + sigma)
    }
  }

  /// The sample at another level that holds the same picture and the same noise.
  ///
  /// Source: Song et al. 2021, arXiv:2010.02502 eq. 12 without fresh noise.
  func moved(to next: NoiseLevel) -> Tensor {
    denoised * next.alpha + noise * next.sigma
  }

  private var clean: Tensor {
    let (alpha, sigma, scale) = (level.alpha, level.sigma, level.magnitude)
    switch type {
    case .epsilon:
      let picture = sample - output * sigma
      return alpha == 1 ? picture : picture / alpha
    case .v:
      return sample * (alpha / (scale * scale)) - output * (sigma / scale)
    case .sample:
      return output
    case .flow:
      return (sample - output * sigma) / (alpha + sigma)
    }
  }
}
