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
  /// How much noise DDIM adds, from 0 for none to 1 for as much as DDPM, and how far TCD goes past
  /// each level; others ignore it.
  public let eta: Float
  /// The program whose picture a seed shall give.
  public let likeness: Likeness

  /// A sampler for models of one config.
  ///
  /// - Throws: `SamplerError` when the config makes no noise schedule, asks for something that is
  ///   not supported, or the sampler cannot space its noise levels as `name` says.
  public init(
    _ name: SamplerName, _ config: SchedulerConfig, eta: Float = 0,
    like likeness: Likeness = .diffusers
  ) throws(SamplerError) {
    let schedule = try NoiseSchedule(config)
    guard name.algorithm.allows(name.sigmas) else {
      throw .sigmaScheduleNotAvailable(name.algorithm, name.sigmas)
    }
    if let variance = config.varianceType, name.algorithm == .ddpm,
      DDPM.Variance(rawValue: variance) == nil
    {
      let known = DDPM.Variance.allCases.map(\.rawValue).joined(separator: ", ")
      throw .invalidConfig("variance_type is \"\(variance)\", supported are \(known)")
    }
    if name.algorithm.scaling == .distilled,
      !(1...config.numTrainTimesteps).contains(config.originalInferenceSteps)
    {
      throw .invalidConfig(
        "original_inference_steps is \(config.originalInferenceSteps), expected 1 to"
          + " \(config.numTrainTimesteps)")
    }
    if config.predictionType == .flow {
      guard name.algorithm.canFlow else { throw .notForFlow(name.algorithm) }
      // These pick timesteps, of which a flow's levels know nothing.
      guard name.sigmas != .simple, name.sigmas != .sgmUniform else {
        throw .sigmaScheduleNotAvailable(name.algorithm, name.sigmas)
      }
    }
    guard eta >= 0, eta <= 1 else {
      throw .invalidConfig("eta is \(eta), expected 0 to 1")
    }
    (self.name, self.config, self.eta, self.likeness) = (name, config, eta, likeness)
    self.schedule = schedule
  }

  /// The noise levels of a run.
  ///
  /// - Parameter steps: 1 to the number of training timesteps (one fewer for DPM++, UniPC and DEIS;
  ///   the steps of the distillation for LCM and TCD).
  /// - Returns: the timetable that diffusers' scheduler, or k-diffusion, would go through.
  /// - Throws: `SamplerError.stepCount`, or `.epsilonAtZeroSNR` when the run would have to divide by
  ///   a signal of zero.
  public func timetable(steps: Int) throws(SamplerError) -> Timetable {
    let timetable = try maker.timetable(steps: steps)
    let lacksSignal = timetable.transitions.contains { $0.level.alpha == 0 }
    if lacksSignal, config.predictionType == .epsilon {
      throw .epsilonAtZeroSNR(name.algorithm)
    }
    return timetable
  }

  /// Random numbers for a run: first the noise to start from, then that of its steps.
  ///
  /// - Parameters:
  ///   - seeds: one per picture; see `Likeness.noise`.
  ///   - timetable: the run's.
  /// - Returns: a source to draw the start from and to hand on to `sampling`.
  public func noise(seeds: [UInt64], _ timetable: Timetable) -> any NoiseSource {
    likeness.noise(seeds: seeds, for: name, timetable, pathSeed: config.noiseSamplerSeed)
  }

  /// A run that has not begun.
  ///
  /// - Parameters:
  ///   - timetable: from `timetable(steps:)`, or a suffix of it.
  ///   - sample: what to start from `[N, H, W, C]`, see `Timetable.start`.
  ///   - noise: asked in every step that adds noise; continue with the source that made `sample` to
  ///     get diffusers' picture for a seed.
  ///   - adjust: changes samples between evaluations, see `Sampling`.
  ///   - model: puts out what `config.predictionType` says; guidance belongs in here.
  /// - Returns: the steps, computed as they are asked for.
  public func sampling(
    _ timetable: Timetable, from sample: Tensor, noise: any NoiseSource,
    adjusting adjust: Sampling.Adjustment? = nil, model: @escaping Model
  ) -> Sampling {
    Sampling(
      solver(timetable), timetable, from: sample, prediction: config.predictionType,
      clipRange: clips ? config.clipSampleRange : nil, noise: noise,
      adjusting: adjust, model: model)
  }

  /// Whether estimates of the clean picture are clipped.
  private var clips: Bool {
    switch name.algorithm {
    case .ddpm, .ddim: config.clipSample != false
    case .heun, .lcm: config.clipSample == true
    default: false
    }
  }

  private var maker: TimetableMaker {
    TimetableMaker(name: name, config: config, schedule: schedule, likeness: likeness)
  }

  private func solver(_ timetable: Timetable) -> any Solver {
    switch name.algorithm {
    case .euler: Euler()
    case .eulerAncestral: EulerAncestral()
    case .heun: Heun()
    case .lms: LMS(skipped: likeness == .diffusers ? timetable.skipped.map(\.sigma) : [])
    case .dpm2: DPM2()
    case .dpm2Ancestral: DPM2(isAncestral: true)
    case .dpmpp2SAncestral: DPMPP2SAncestral()
    case .dpmppSDE: DPMPPSDE()
    case .dpmpp2M, .dpmpp3M, .dpmpp2MSDE, .dpmpp3MSDE: DPMMultistep(multistepOptions)
    case .ddim: DDIM(eta: eta)
    case .ddpm: DDPM(variance: config.varianceType.flatMap(DDPM.Variance.init) ?? .fixedSmall)
    case .pndm:
      PNDM(
        stride: schedule.count / timetable.steps,
        rungeKutta: maker.rungeKuttaTimesteps(timetable.steps),
        final: timetable.transitions.last?.next)
    case .uniPC, .uniPCBH1: UniPC(uniPCOptions)
    case .deis: DEIS(order: config.solverOrder, lowerOrderFinal: config.lowerOrderFinal)
    case .lcm: LCM(timestepScaling: config.timestepScaling)
    case .tcd: TCD(eta: eta)
    }
  }

  private var multistepOptions: DPMMultistep.Options {
    var options = DPMMultistep.Options()
    options.order = name.algorithm == .dpmpp3M || name.algorithm == .dpmpp3MSDE ? 3 : 2
    options.isStochastic = name.algorithm == .dpmpp2MSDE || name.algorithm == .dpmpp3MSDE
    guard !likeness.isKDiffusion else {
      options.lowerOrderFinal = false
      // Second-order steps of the third-order method are exact there.
      options.variant = options.order == 3 ? .heun : .midpoint
      return options
    }
    options.variant = DPMMultistep.Variant(rawValue: config.solverType) ?? .midpoint
    options.lowerOrderFinal = config.lowerOrderFinal
    options.eulerAtFinal = config.eulerAtFinal
    options.hasDiffusersCurvature = true
    return options
  }

  private var uniPCOptions: UniPC.Options {
    var options = UniPC.Options()
    options.order = likeness.isKDiffusion ? 3 : config.solverOrder
    let variant = UniPC.Variant(rawValue: config.solverType) ?? .bh2
    options.variant = name.algorithm == .uniPCBH1 ? .bh1 : variant
    options.predictsX0 = config.predictX0
    options.lowerOrderFinal = config.lowerOrderFinal
    options.uncorrectedSteps = config.disableCorrector
    return options
  }
}
