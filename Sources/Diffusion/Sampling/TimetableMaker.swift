import ComputeCore

/// Makes the timetable of a sampler: where diffusers' scheduler would go after `set_timesteps`, or
/// k-diffusion.
struct TimetableMaker {
  let name: SamplerName
  let config: SchedulerConfig
  let schedule: NoiseSchedule
  let likeness: Likeness

  /// The timetable of a run.
  ///
  /// - Throws: `SamplerError.stepCount` when the timesteps do not suffice.
  func timetable(steps: Int) throws(SamplerError) -> Timetable {
    guard steps >= 1, steps <= mostSteps else { throw .stepCount(steps, most: mostSteps) }
    if config.predictionType == .flow { return flow(steps) }
    switch name.algorithm.scaling {
    case .distilled: return distilled(steps)
    case .trained: return name.algorithm == .pndm ? pndm(steps) : trained(steps)
    case .exploding, .preserving:
      return likeness.isKDiffusion ? kDiffusion(steps) : spaced(steps)
    }
  }

  private var mostSteps: Int {
    switch name.algorithm.scaling {
    case .distilled: config.originalInferenceSteps
    case .trained, .exploding: schedule.count
    case .preserving: schedule.count - 1
    }
  }

  private var isExploding: Bool { name.algorithm.scaling == .exploding }

  private var spacing: TimestepSpacing {
    let isLeading = name.algorithm.scaling == .trained
    return name.sigmas.spacing ?? config.timestepSpacing ?? (isLeading ? .leading : .linspace)
  }

  /// The timesteps of the spacing.
  ///
  /// Solvers of `preserving` scaling lay out one point more and leave the last one, timestep 0, to
  /// the final level.
  private func timesteps(_ steps: Int) -> [Double] {
    let spare = name.algorithm.scaling == .preserving ? 1 : 0
    return spacing.timesteps(
      steps, points: steps + spare, of: schedule.count, offset: config.stepsOffset)
  }

  private func wholeTimesteps(_ steps: Int) -> [Int] {
    timesteps(steps).map { Int($0.rounded(.toNearestOrEven)) }
  }

  private func level(_ timestep: Int, else final: Float) -> NoiseLevel {
    timestep >= 0
      ? schedule.level(timestep) : .preserving(alphaCumprod: final, timestep: 0)
  }

  /// DDPM and DDIM: whole timesteps; they differ in the level a step ends at.
  private func trained(_ steps: Int) -> Timetable {
    let whole = wholeTimesteps(steps)
    let stride = schedule.count / steps
    let isDDIM = name.algorithm == .ddim
    let final = isDDIM && !config.setAlphaToOne ? schedule.alphasCumprod[0] : 1
    let moves = whole.indices.map { index in
      let following = index + 1 < whole.count ? whole[index + 1] : -1
      return (
        level(whole[index], else: final),
        level(isDDIM ? whole[index] - stride : following, else: final)
      )
    }
    return Timetable(moves, steps: steps, initNoiseSigma: 1, schedule: schedule)
  }

  /// PNDM: an entry for each evaluation of the model.
  private func pndm(_ steps: Int) -> Timetable {
    let whole = wholeTimesteps(steps)
    let stride = schedule.count / steps
    let final = config.setAlphaToOne ? 1 : schedule.alphasCumprod[0]
    let start = rungeKuttaTimesteps(steps)
    var moves: [(Int, Int)] = start.enumerated().map { index, timestep in
      (timestep, timestep - (index % 2 == 0 ? stride / 2 : 0))
    }
    let multistep = start.isEmpty ? whole.prefix(2) + whole.dropFirst() : whole[3...]
    moves += multistep.map { ($0, $0 - stride) }
    let levels = moves.map { (level($0.0, else: final), level($0.1, else: final)) }
    return Timetable(levels, steps: steps, initNoiseSigma: 1, schedule: schedule)
  }

  /// The timesteps of PNDM's three Runge-Kutta steps, four each: start, middle twice, end.
  ///
  /// None when the config leaves them out, or when there are fewer than four steps.
  func rungeKuttaTimesteps(_ steps: Int) -> [Int] {
    guard !config.skipPrkSteps, steps >= 4 else { return [] }
    let half = schedule.count / steps / 2
    let whole = wholeTimesteps(steps)
    return zip(whole, whole.dropFirst()).prefix(3).flatMap { start, end in
      let middle = end + half
      return [start, middle, middle, end]
    }
  }

  /// LCM and TCD: timesteps of the distillation, evenly chosen.
  private func distilled(_ steps: Int) -> Timetable {
    let count = config.originalInferenceSteps
    let stride = schedule.count / count
    let spacing = Double(count) / Double(steps)
    let levels = (0..<steps).map { step in
      schedule.level((count - Int(Double(step) * spacing)) * stride - 1)
    }
    let final =
      name.algorithm == .tcd
      ? schedule.level(0) : NoiseLevel.preserving(alphaCumprod: 1, timestep: 0)
    return Timetable(levels, endingAt: final, initNoiseSigma: 1, schedule: schedule)
  }

  /// Solvers at any noise level, as diffusers spaces them.
  private func spaced(_ steps: Int) -> Timetable {
    isExploding ? exploding(steps) : preserving(steps)
  }

  /// Variance-exploding samples, timesteps with fractions.
  private func exploding(_ steps: Int) -> Timetable {
    // Timesteps are in 32 bits there, but in 64 for DPM++ SDE, whose noise depends on the last bit.
    let isExact = name.algorithm == .dpmppSDE
    let rounded = timesteps(steps).map { isExact ? $0 : Double(Float($0)) }
    let trained = rounded.map(schedule.sigma(at:))
    let points = name.sigmas.points(
      steps, of: schedule.count, from: trained[0], to: trained[steps - 1])
    let isRounded = name.sigmas == .karras && name.algorithm.roundsKarrasTimesteps
    let levels: [NoiseLevel] =
      switch points {
      case .spaced:
        zip(trained, rounded).map { .exploding(sigma: Float($0), timestep: Float($1)) }
      case .sigmas(let sigmas):
        sigmas.map { sigma in
          let timestep = schedule.timestep(of: sigma)
          return .exploding(
            sigma: Float(sigma),
            timestep: Float(isRounded ? timestep.rounded(.toNearestOrEven) : timestep))
        }
      case .timesteps(let timesteps):
        timesteps.map(explodingLevel(at:))
      }
    let highest = levels.map(\.sigma).max() ?? 0
    let final = name.algorithm == .euler ? finalSigma : 0
    return Timetable(
      levels, endingAt: .exploding(sigma: final, timestep: 0),
      initNoiseSigma: spacing == .leading ? (highest * highest + 1).squareRoot() : highest,
      schedule: schedule)
  }

  /// Variance-preserving samples, whole timesteps where diffusers has them.
  private func preserving(_ steps: Int) -> Timetable {
    func level(_ sigma: Double, _ timestep: Double) -> NoiseLevel {
      .preserving(sigmaRatio: Float(sigma), timestep: Float(timestep))
    }
    let highest = Double(schedule.sigmas[schedule.count - 1])
    let points = name.sigmas.points(
      steps, of: schedule.count, from: highest, to: Double(schedule.sigmas[0]))
    let levels =
      switch points {
      case .spaced:
        timesteps(steps).map { timestep in
          let whole = timestep.rounded(.toNearestOrEven)
          return level(schedule.sigma(at: whole), whole)
        }
      case .sigmas(let sigmas):
        sigmas.map { sigma in
          let timestep = schedule.timestep(of: sigma)
          return level(sigma, timestep.rounded(roundsTimesteps ? .toNearestOrEven : .down))
        }
      case .timesteps(let timesteps):
        timesteps.map { level(schedule.sigmaLogLinear(at: $0), $0) }
      }
    let final = name.algorithm == .deis ? schedule.sigmas[0] : finalSigma
    return Timetable(
      levels, endingAt: .preserving(sigmaRatio: final, timestep: 0), initNoiseSigma: 1,
      schedule: schedule)
  }

  /// Whether diffusers rounds timesteps of spaced noise levels to the nearest; else down.
  private var roundsTimesteps: Bool {
    let isSpline = config.betaSchedule == .squaredcosCapV2
    switch (name.sigmas, name.algorithm) {
    case (.karras, .uniPC), (.karras, .uniPCBH1), (.karras, .deis): return true
    case (.karras, _): return !isSpline
    case (.exponential, _): return config.useLuLambdas && !isSpline
    default: return false
    }
  }

  private var finalSigma: Float {
    config.finalSigmasType == .zero ? 0 : schedule.sigmas[0]
  }

  private func explodingLevel(at timestep: Double) -> NoiseLevel {
    .exploding(sigma: Float(schedule.sigmaLogLinear(at: timestep)), timestep: Float(timestep))
  }

  /// A flow from noise to picture.
  ///
  /// Source: diffusers' `FlowMatchEulerDiscreteScheduler`.
  private func flow(_ steps: Int) -> Timetable {
    func shifted(_ sigma: Double) -> Double {
      config.shift * sigma / (1 + (config.shift - 1) * sigma)
    }
    let count = Double(schedule.count)
    // The ends are shifted already, as there.
    let (highest, lowest) = (shifted(1), Double(Float(shifted(1 / count))))
    let even = (0..<steps).map { step in
      steps == 1 ? highest : highest + Double(step) / Double(steps - 1) * (lowest - highest)
    }.map(shifted)
    let points = name.sigmas.points(
      steps, of: schedule.count, from: even[0], to: even[steps - 1])
    let sigmas = if case .sigmas(let sigmas) = points { sigmas } else { even }
    let levels = sigmas.map { sigma in
      NoiseLevel.flow(sigma: Float(sigma), timestep: Float(sigma) * Float(count))
    }
    return Timetable(
      levels, endingAt: .flow(sigma: 0, timestep: 0), initNoiseSigma: 1, schedule: schedule)
  }
}

extension TimetableMaker {
  /// Solvers at any noise level, as k-diffusion's users space them: over the whole training, with
  /// timesteps that are not rounded.
  private func kDiffusion(_ steps: Int) -> Timetable {
    let discards = likeness.discardsPenultimate(name.algorithm)
    var levels = kDiffusionLevels(steps + (discards ? 1 : 0))
    if discards, levels.count > 1 { levels.removeLast() }
    let highest = levels[0].sigma
    let isWhole = likeness == .comfyUI && highest >= 0.99999 * schedule.sigmas[schedule.count - 1]
    let start = isWhole ? (highest * highest + 1).squareRoot() : highest
    if isExploding {
      return Timetable(
        levels, endingAt: .exploding(sigma: 0, timestep: 0), initNoiseSigma: start,
        schedule: schedule)
    }
    let scaled = levels.map { level in
      NoiseLevel.preserving(sigmaRatio: level.sigma, timestep: level.timestep)
    }
    return Timetable(
      scaled, endingAt: .preserving(sigmaRatio: 0, timestep: 0),
      initNoiseSigma: start * scaled[0].alpha, schedule: schedule)
  }

  private func kDiffusionLevels(_ steps: Int) -> [NoiseLevel] {
    let last = schedule.count - 1
    if likeness == .comfyUI, name.sigmas == .beta { return betaTimesteps(steps) }
    let points = name.sigmas.points(
      steps, of: schedule.count, from: Double(schedule.sigmas[last]),
      to: Double(schedule.sigmas[0]))
    switch points {
    case .sigmas(let sigmas):
      return sigmas.map {
        .exploding(sigma: Float($0), timestep: Float(schedule.timestep(of: $0)))
      }
    case .timesteps(let timesteps):
      return timesteps.map(explodingLevel(at:))
    case .spaced:
      let spacing = name.sigmas.spacing ?? .linspace
      return spacing.timesteps(
        steps, points: steps, of: schedule.count, offset: config.stepsOffset
      ).map { explodingLevel(at: steps == 1 ? Double(last) : $0) }
    }
  }

  /// The beta distribution over the timesteps, which can give fewer than `steps` of them.
  ///
  /// Source: ComfyUI `samplers.py`, `beta_scheduler`.
  private func betaTimesteps(_ steps: Int) -> [NoiseLevel] {
    let distribution = BetaDistribution(alpha: 0.6, beta: 0.6)
    let timesteps = (0..<steps).map { step in
      let place = distribution.quantile(1 - Double(step) / Double(steps))
      // Halfway places are above it by SciPy's last bit.
      return (place * Double(schedule.count - 1) + 1e-9).rounded()
    }
    return timesteps.indices.filter { $0 == 0 || timesteps[$0] != timesteps[$0 - 1] }.map {
      explodingLevel(at: timesteps[$0])
    }
  }
}

extension SamplerName.Algorithm {
  /// Whether diffusers rounds the timesteps of Karras' noise levels to whole ones.
  fileprivate var roundsKarrasTimesteps: Bool { self == .dpm2 || self == .dpm2Ancestral }
}
