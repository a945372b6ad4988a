import ComputeCore

/// The noise levels a sampling run goes through, and how it starts.
public struct Timetable: Equatable, Sendable {
  /// The steps, from the highest noise level to the lowest.
  public let transitions: [Transition]
  /// What normal noise is multiplied by to start from nothing; `init_noise_sigma` in diffusers.
  public let initNoiseSigma: Float

  /// Noise to start from, of `noise`'s shape `[N, H, W, C]`.
  public func start(_ noise: Tensor) -> Tensor {
    noise * initNoiseSigma
  }

  /// A given picture, or its latents, as noisy as the first step expects it.
  ///
  /// `x0` and `noise`, which are normal numbers, are `[N, H, W, C]`, and so is the result.
  public func start(from x0: Tensor, _ noise: Tensor) -> Tensor {
    guard let level = transitions.first?.level else { return x0 }
    return x0 * level.alpha + noise * level.sigma
  }

  /// The last part of the run, for changing a given picture.
  ///
  /// - Parameter strength: 0…1, the part of the steps that is kept, rounded down; 0 keeps none
  ///   and so changes nothing.
  /// - Returns: the timetable to use with `start(from:_:)`.
  public func suffix(strength: Double) -> Timetable {
    let kept = max(0, min(transitions.count, Int(Double(transitions.count) * strength)))
    return Timetable(
      transitions: Array(transitions.suffix(kept)), initNoiseSigma: initNoiseSigma)
  }
}

extension Timetable {
  /// Steps from each level to the following one, and from the last to `final`.
  package init(_ levels: [NoiseLevel], endingAt final: NoiseLevel, initNoiseSigma: Float) {
    let steps = zip(levels, levels.dropFirst() + [final])
    self.init(
      transitions: steps.enumerated().map { index, step in
        Transition(index: index, count: levels.count, level: step.0, next: step.1)
      },
      initNoiseSigma: initNoiseSigma)
  }

  /// The timetable of diffusers' scheduler for `name` after `set_timesteps(steps)`.
  ///
  /// - Throws: `SamplerError.stepCount` when the training timesteps do not suffice.
  init(
    _ name: SamplerName, _ config: SchedulerConfig, _ schedule: NoiseSchedule, steps: Int
  ) throws(SamplerError) {
    // DPM++ 2M lays out one point more and leaves the last one, timestep 0, to the final level.
    let spare = name.algorithm == .dpmpp2M ? 1 : 0
    guard steps >= 1, steps <= schedule.count - spare else {
      throw .stepCount(steps, most: schedule.count - spare)
    }
    let spacing = config.timestepSpacing ?? name.algorithm.defaultSpacing
    let timesteps = spacing.timesteps(
      steps, points: steps + spare, of: schedule.count, offset: config.stepsOffset)
    switch name.algorithm {
    case .ddpm, .ddim:
      self.init(onTrainingSteps: timesteps, name.algorithm, config, schedule)
    case .euler, .eulerAncestral:
      self.init(exploding: timesteps, name, spacing, config, schedule)
    case .dpmpp2M:
      self.init(preserving: timesteps, name.sigmas, config, schedule)
    }
  }

  /// DDPM and DDIM: whole timesteps; they differ in the level a step ends at.
  private init(
    onTrainingSteps timesteps: [Double], _ algorithm: SamplerName.Algorithm,
    _ config: SchedulerConfig, _ schedule: NoiseSchedule
  ) {
    let whole = timesteps.map { Int($0.rounded(.toNearestOrEven)) }
    let stride = schedule.count / whole.count
    func level(_ timestep: Int, else final: Float) -> NoiseLevel {
      .preserving(
        alphaCumprod: timestep >= 0 ? schedule.alphasCumprod[timestep] : final,
        timestep: Float(max(0, timestep)))
    }
    let transitions = whole.indices.map { index in
      let following = index + 1 < whole.count ? whole[index + 1] : -1
      let isDDIM = algorithm == .ddim
      let final = isDDIM && !config.setAlphaToOne ? schedule.alphasCumprod[0] : 1
      return Transition(
        index: index, count: whole.count, level: level(whole[index], else: final),
        next: level(isDDIM ? whole[index] - stride : following, else: final))
    }
    self.init(transitions: transitions, initNoiseSigma: 1)
  }

  /// Euler: variance-exploding samples, timesteps with fractions.
  private init(
    exploding timesteps: [Double], _ name: SamplerName, _ spacing: TimestepSpacing,
    _ config: SchedulerConfig, _ schedule: NoiseSchedule
  ) {
    let rounded = timesteps.map { Double(Float($0)) }
    let trained = rounded.map(schedule.sigma(at:))
    let points = name.sigmas.points(
      trained.count, of: schedule.count, from: trained[0], to: trained[trained.count - 1])
    let levels: [NoiseLevel] =
      switch points {
      case .spaced:
        zip(trained, rounded).map { .exploding(sigma: Float($0), timestep: Float($1)) }
      case .sigmas(let sigmas):
        sigmas.map { .exploding(sigma: Float($0), timestep: Float(schedule.timestep(of: $0))) }
      case .timesteps(let timesteps):
        timesteps.map {
          .exploding(sigma: Float(schedule.sigmaLogLinear(at: $0)), timestep: Float($0))
        }
      }
    let highest = levels.map(\.sigma).max() ?? 0
    let final = name.algorithm == .euler ? Timetable.finalSigma(config, schedule) : 0
    self.init(
      levels, endingAt: .exploding(sigma: final, timestep: 0),
      initNoiseSigma: spacing == .leading ? (highest * highest + 1).squareRoot() : highest)
  }

  /// DPM++ 2M: variance-preserving samples, whole timesteps where diffusers has them.
  private init(
    preserving timesteps: [Double], _ sigmas: SigmaSchedule, _ config: SchedulerConfig,
    _ schedule: NoiseSchedule
  ) {
    func level(_ sigma: Double, _ timestep: Double) -> NoiseLevel {
      .preserving(sigmaRatio: Float(sigma), timestep: Float(timestep))
    }
    let highest = Double(schedule.sigmas[schedule.count - 1])
    let points = sigmas.points(
      timesteps.count, of: schedule.count, from: highest, to: Double(schedule.sigmas[0]))
    // diffusers rounds down what it has not rounded to the nearest.
    let isRounded = sigmas == .karras && config.betaSchedule != .squaredcosCapV2
    let levels =
      switch points {
      case .spaced:
        timesteps.map { timestep in
          let whole = timestep.rounded(.toNearestOrEven)
          return level(schedule.sigma(at: whole), whole)
        }
      case .sigmas(let sigmas):
        sigmas.map { sigma in
          let timestep = schedule.timestep(of: sigma)
          return level(sigma, timestep.rounded(isRounded ? .toNearestOrEven : .down))
        }
      case .timesteps(let timesteps):
        timesteps.map { level(schedule.sigmaLogLinear(at: $0), $0) }
      }
    let final = Timetable.finalSigma(config, schedule)
    self.init(
      levels, endingAt: .preserving(sigmaRatio: final, timestep: 0), initNoiseSigma: 1)
  }

  private static func finalSigma(_ config: SchedulerConfig, _ schedule: NoiseSchedule) -> Float {
    config.finalSigmasType == .zero ? 0 : schedule.sigmas[0]
  }
}

extension SamplerName.Algorithm {
  /// What diffusers' scheduler uses when its config does not say.
  fileprivate var defaultSpacing: TimestepSpacing {
    self == .ddpm || self == .ddim ? .leading : .linspace
  }
}
