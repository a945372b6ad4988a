import ComputeCore

/// Everything that makes samples from a model but the model itself.
///
/// A run is `for step in sampler.sampling(timetable, from: timetable.start(noise), …) { … }`.
public struct Sampler: Sendable {
  /// The algorithm and how its noise levels are spaced.
  public let name: SamplerName
  /// What the model's folder says about its noise.
  public let config: SchedulerConfig
  /// The noise the model was trained with.
  public let schedule: NoiseSchedule
  /// How much noise DDIM adds, from 0 for none to 1 for as much as DDPM; others ignore it.
  public let eta: Float

  /// A sampler for models of one config.
  ///
  /// - Throws: `SamplerError` when the config makes no noise schedule, asks for something that is
  ///   not supported, or the sampler cannot space its noise levels as `name` says.
  public init(
    _ name: SamplerName, _ config: SchedulerConfig, eta: Float = 0
  ) throws(SamplerError) {
    guard name.sigmas == .normal || name.algorithm.hasSigmaSchedules else {
      throw .sigmaScheduleNotAvailable(name.algorithm, name.sigmas)
    }
    guard !config.thresholding else {
      throw .invalidConfig("thresholding is not supported; set it to false")
    }
    if let variance = config.varianceType, name.algorithm == .ddpm,
      DDPM.Variance(rawValue: variance) == nil
    {
      let known = DDPM.Variance.allCases.map(\.rawValue).joined(separator: ", ")
      throw .invalidConfig("variance_type is \"\(variance)\", supported are \(known)")
    }
    guard eta >= 0, eta <= 1 else {
      throw .invalidConfig("eta is \(eta), expected 0 to 1")
    }
    self.name = name
    self.config = config
    self.eta = eta
    schedule = try NoiseSchedule(config)
  }

  /// The noise levels of a run.
  ///
  /// - Parameter steps: 1 to the number of training timesteps (one fewer for DPM++ 2M).
  /// - Returns: the timetable that diffusers' scheduler would go through.
  /// - Throws: `SamplerError.stepCount`, or `.epsilonAtZeroSNR` when DDPM or DDIM would have to
  ///   divide by a signal of zero.
  public func timetable(steps: Int) throws(SamplerError) -> Timetable {
    let timetable = try Timetable(name, config, schedule, steps: steps)
    let lacksSignal = timetable.transitions.contains { $0.level.alpha == 0 }
    if lacksSignal, config.predictionType == .epsilon {
      throw .epsilonAtZeroSNR(name.algorithm)
    }
    return timetable
  }

  /// A run that has not begun.
  ///
  /// - Parameters:
  ///   - timetable: from `timetable(steps:)`, or a suffix of it.
  ///   - sample: what to start from `[N, H, W, C]`, see `Timetable.start`.
  ///   - noise: asked once in every step that adds noise; continue with the source that made
  ///     `sample` to get diffusers' picture for a seed.
  ///   - model: puts out what `config.predictionType` says; guidance belongs in here.
  /// - Returns: the steps, computed as they are asked for.
  public func sampling(
    _ timetable: Timetable, from sample: Tensor, noise: any NoiseSource, model: @escaping Model
  ) -> Sampling {
    let clips = !name.algorithm.hasSigmaSchedules && config.clipSample != false
    return Sampling(
      solver(), timetable, from: sample, prediction: config.predictionType,
      clipRange: clips ? config.clipSampleRange : nil, noise: noise, model: model)
  }

  private func solver() -> any Solver {
    switch name.algorithm {
    case .euler: Euler()
    case .eulerAncestral: EulerAncestral()
    case .ddim: DDIM(eta: eta)
    case .ddpm: DDPM(variance: config.varianceType.flatMap(DDPM.Variance.init) ?? .fixedSmall)
    case .dpmpp2M:
      DPMPP2M(lowerOrderFinal: config.lowerOrderFinal, eulerAtFinal: config.eulerAtFinal)
    }
  }
}
