import Glibc

/// What a sample holds at one point of a sampling run: `sample = alpha·x₀ + sigma·noise`.
///
/// Solvers hold their samples in one of three scalings. Variance preserving: `alpha² + sigma² = 1`,
/// what models are trained on. Variance exploding: `alpha = 1`, divided by `magnitude` before a
/// model sees it. Flow: `alpha + sigma = 1`, what flow-matching models are trained on.
/// Source of the terms: Song et al. 2021, arXiv:2011.13456 §3.4; Liu et al. 2022, arXiv:2209.03003.
public struct NoiseLevel: Equatable, Sendable {
  /// Where the model is told to be; between training timesteps for some noise schedules.
  public let timestep: Float
  /// Factor of the clean picture.
  public let alpha: Float
  /// Factor of the noise.
  public let sigma: Float
  /// Share of the variance that is the picture's, `alpha² / (alpha² + sigma²)`.
  public let alphaCumprod: Float

  /// What a sample is divided by before the model sees it, `√(alpha² + sigma²)`.
  public var magnitude: Float { alpha == 1 ? (sigma * sigma + 1).squareRoot() : 1 }

  /// Noise per picture, `sigma / alpha`: the noise level in k-diffusion's sense.
  public var sigmaRatio: Float { sigma / alpha }

  /// A variance-preserving level from the noise schedule's `alphasCumprod`.
  package static func preserving(alphaCumprod: Float, timestep: Float) -> NoiseLevel {
    NoiseLevel(
      timestep: timestep, alpha: alphaCumprod.squareRoot(),
      sigma: (1 - alphaCumprod).squareRoot(), alphaCumprod: alphaCumprod)
  }

  /// A variance-preserving level of a given noise per picture.
  package static func preserving(sigmaRatio: Float, timestep: Float) -> NoiseLevel {
    let alpha = 1 / (sigmaRatio * sigmaRatio + 1).squareRoot()
    return NoiseLevel(
      timestep: timestep, alpha: alpha, sigma: sigmaRatio * alpha, alphaCumprod: alpha * alpha)
  }

  /// A variance-exploding level of a given noise per picture.
  package static func exploding(sigma: Float, timestep: Float) -> NoiseLevel {
    NoiseLevel(
      timestep: timestep, alpha: 1, sigma: sigma, alphaCumprod: 1 / (sigma * sigma + 1))
  }

  /// A level of a flow from a picture (`sigma` 0) to noise (`sigma` 1).
  package static func flow(sigma: Float, timestep: Float) -> NoiseLevel {
    let alpha = 1 - sigma
    return NoiseLevel(
      timestep: timestep, alpha: alpha, sigma: sigma,
      alphaCumprod: alpha * alpha / (alpha * alpha + sigma * sigma))
  }

  /// Half the logarithm of the signal-to-noise ratio, `log(alpha / sigma)`; infinite when clean.
  var logSNR: Double { log(Double(alpha)) - log(Double(sigma)) }
}

/// One step of a sampling run, from a noise level to a lower one.
public struct Transition: Equatable, Sendable {
  /// Number of the step in the whole run, from 0.
  public let index: Int
  /// Steps of the whole run.
  public let count: Int
  /// The level of the sample before the step.
  public let level: NoiseLevel
  /// The level after it.
  public let next: NoiseLevel
  /// The noise of training, which tells the timesteps of levels between those of the run.
  public let schedule: NoiseSchedule

  /// Whether this is the run's last step.
  public var isLast: Bool { index == count - 1 }

  /// A variance-exploding level on the way, for solvers that evaluate the model there.
  func between(sigma: Float) -> NoiseLevel {
    .exploding(sigma: sigma, timestep: Float(schedule.timestep(of: Double(sigma))))
  }

  /// The variance-preserving level of a timestep of training.
  func trained(_ timestep: Int) -> NoiseLevel {
    schedule.level(timestep)
  }
}
