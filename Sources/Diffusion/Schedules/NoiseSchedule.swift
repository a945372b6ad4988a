import ComputeCore

/// How much of a picture and how much noise a sample holds at each training timestep.
///
/// At timestep `t`, `sample = √ā·x₀ + √(1 − ā)·noise` with `ā = alphasCumprod[t]`.
/// Source: Ho et al. 2020, arXiv:2006.11239 eq. 4; numbers equal diffusers' float32 tables.
public struct NoiseSchedule: Equatable, Sendable {
  /// Variance added at each timestep.
  public let betas: [Float]
  /// Share of the picture's variance that is left at each timestep; falls from about 1.
  public let alphasCumprod: [Float]
  /// Noise levels `√((1 − ā) / ā)`, rising with the timestep; always finite.
  ///
  /// Where nothing of the picture is left (zero terminal SNR), `ā` counts as 2⁻²⁴ here, as in
  /// diffusers, which makes the last level 4096.
  public let sigmas: [Float]

  /// A schedule of given variances, each from 0 to 1.
  public init(betas: [Float]) {
    self.betas = betas
    alphasCumprod = cumulativeAlphas(betas)
    sigmas = alphasCumprod.map { alpha in
      let held = alpha > 0 ? alpha : NoiseSchedule.smallestAlphaCumprod
      return ((1 - held) / held).squareRoot()
    }
  }

  /// The schedule a model was trained with.
  ///
  /// - Throws: `SamplerError.invalidConfig` when the numbers make no schedule.
  public init(_ config: SchedulerConfig) throws(SamplerError) {
    try config.validate()
    let betas =
      config.trainedBetas
      ?? config.betaSchedule.betas(
        from: config.betaStart, to: config.betaEnd, count: config.numTrainTimesteps)
    self.init(betas: config.rescaleBetasZeroSnr ? rescaledToZeroTerminalSNR(betas) : betas)
    guard alphasCumprod.dropLast().allSatisfy({ $0 > 0 && $0 < 1 }) else {
      throw .invalidConfig("the betas leave a picture without noise or nothing but noise")
    }
  }

  /// Timesteps of training.
  public var count: Int { betas.count }

  /// The smallest subnormal number of 16 bits, which stands for "nothing left" in `sigmas`.
  private static let smallestAlphaCumprod: Float = 1 / 16_777_216

  /// Samples that hold `x0` and `noise` as their timesteps say.
  ///
  /// - Parameters:
  ///   - x0: clean pictures or latents `[N, …]`.
  ///   - noise: normal numbers of the same shape.
  ///   - timesteps: N of them, each in `0..<count`.
  /// - Returns: `√ā·x₀ + √(1 − ā)·noise` `[N, …]`.
  public func addNoise(_ x0: Tensor, _ noise: Tensor, timesteps: [Int]) -> Tensor {
    let (alpha, sigma) = coefficients(timesteps, for: x0)
    return alpha * x0 + sigma * noise
  }

  /// The velocity that a v-prediction model learns.
  ///
  /// Source: Salimans & Ho 2022, arXiv:2202.00512 appendix D.
  ///
  /// - Parameters:
  ///   - x0: clean pictures or latents `[N, …]`.
  ///   - noise: normal numbers of the same shape.
  ///   - timesteps: N of them, each in `0..<count`.
  /// - Returns: `√ā·noise − √(1 − ā)·x₀` `[N, …]`.
  public func velocity(_ x0: Tensor, _ noise: Tensor, timesteps: [Int]) -> Tensor {
    let (alpha, sigma) = coefficients(timesteps, for: x0)
    return alpha * noise - sigma * x0
  }

  /// What a model of the given kind has to put out for samples made by `addNoise`; `[N, …]`.
  public func target(
    _ prediction: PredictionType, _ x0: Tensor, _ noise: Tensor, timesteps: [Int]
  ) -> Tensor {
    switch prediction {
    case .epsilon: noise
    case .v: velocity(x0, noise, timesteps: timesteps)
    case .sample: x0
    case .flow: noise - x0
    }
  }

  /// The clean picture `[N, …]` that a model's output means for samples at these timesteps.
  ///
  /// With `.epsilon`, every timestep must have something of the picture left.
  public func denoised(
    _ prediction: PredictionType, output: Tensor, sample: Tensor, timesteps: [Int]
  ) -> Tensor {
    let (alpha, sigma) = coefficients(timesteps, for: sample)
    return switch prediction {
    case .epsilon: (sample - sigma * output) / alpha
    case .v: alpha * sample - sigma * output
    case .sample: output
    case .flow: (sample - sigma * output) / (alpha + sigma)
    }
  }

  /// `√ā` and `√(1 − ā)` of each timestep, both `[N, 1, …]` with as many axes as `x`.
  private func coefficients(_ timesteps: [Int], for x: Tensor) -> (alpha: Tensor, sigma: Tensor) {
    precondition(
      x.rank > 0 && timesteps.count == x.shape[0],
      "noise schedule: \(timesteps.count) timesteps for a batch of shape \(x.shape)")
    let alphas = timesteps.map { alphasCumprod[$0] }
    let shape = [timesteps.count] + Array(repeating: 1, count: x.rank - 1)
    return (
      Tensor(alphas.map { $0.squareRoot() }, shape),
      Tensor(alphas.map { (1 - $0).squareRoot() }, shape)
    )
  }
}
