/// What a diffusers `scheduler_config.json` says about a model's noise and how to sample from it.
///
/// Property names are the file's keys in camel case: decode with `.convertFromSnakeCase` and
/// encode with `.convertToSnakeCase`. Keys that are missing or null take the default that all
/// diffusers schedulers share; `nil` stands for a default that depends on the sampler.
public struct SchedulerConfig: Codable, Equatable, Sendable {
  /// The scheduler that diffusers would make, such as `"DDIMScheduler"`.
  public var _className: String?
  /// Timesteps of training.
  public var numTrainTimesteps = 1000
  /// The first variance.
  public var betaStart = 0.0001
  /// The last variance.
  public var betaEnd = 0.02
  /// How the variances grow.
  public var betaSchedule = BetaSchedule.linear
  /// The variances themselves, in place of the three settings above.
  public var trainedBetas: [Float]?
  /// Whether the variances are stretched so that nothing of the picture is left at the end.
  public var rescaleBetasZeroSnr = false
  /// What the model puts out.
  public var predictionType = PredictionType.epsilon
  /// Which timesteps sampling visits; `nil`: leading for DDPM and DDIM, else linspace.
  public var timestepSpacing: TimestepSpacing?
  /// Added to the timesteps of leading spacing.
  public var stepsOffset = 0
  /// Whether the last step of DDIM ends at a clean picture, or at the level of timestep 0.
  public var setAlphaToOne = true
  /// Whether DDPM and DDIM clip estimates of the clean picture; `nil`: they do.
  public var clipSample: Bool?
  /// The largest magnitude that clipping leaves.
  public var clipSampleRange: Float = 1
  /// Whether DDPM and DDIM clip by a quantile of each estimate; not supported.
  public var thresholding = false
  /// The variance of the noise DDPM adds; `"fixed_small"` and `"fixed_large"` are supported.
  public var varianceType: String?
  /// Whether the config's own sampler spaces its noise levels by `SigmaSchedule.karras`.
  public var useKarrasSigmas = false
  /// Whether the config's own sampler spaces its noise levels by `.exponential`.
  public var useExponentialSigmas = false
  /// Whether the config's own sampler spaces its noise levels by `.beta`.
  public var useBetaSigmas = false
  /// Whether DPM++ spaces its noise levels by `.exponential`, rounding timesteps to the nearest.
  public var useLuLambdas = false
  /// Whether noise levels are those of a flow, for other solvers than Euler; not supported.
  public var useFlowSigmas = false
  /// The noise level that Euler, DPM++ and UniPC end at.
  public var finalSigmasType = FinalSigma.zero
  /// The solver of a config of diffusers' `DPMSolverMultistepScheduler`.
  public var algorithmType = "dpmsolver++"
  /// The order of DPM++, UniPC and DEIS.
  public var solverOrder = 2
  /// How DPM++ takes second-order steps (`midpoint`, `heun`), or UniPC's function (`bh1`, `bh2`).
  public var solverType = "midpoint"
  /// Whether DPM++, UniPC and DEIS lower their order at the end.
  public var lowerOrderFinal = true
  /// Whether DPM++ always takes a first-order last step.
  public var eulerAtFinal = false
  /// Whether UniPC extrapolates the clean picture, or the noise.
  public var predictX0 = true
  /// Steps whose result UniPC does not correct.
  public var disableCorrector: [Int] = []
  /// Whether PNDM begins with PLMS, or with Runge-Kutta steps.
  public var skipPrkSteps = false
  /// Steps of the distillation of which LCM and TCD visit a part.
  public var originalInferenceSteps = 50
  /// Factor of the timestep in LCM's boundary condition.
  public var timestepScaling: Float = 10
  /// Seed of the Brownian path of DPM++ SDE; `nil`: the picture's.
  public var noiseSamplerSeed: UInt64?
  /// How far the noise levels of a flow are shifted to high noise; 1 is not at all.
  public var shift = 1.0
  /// Whether the shift of a flow depends on the size of the picture; not supported.
  public var useDynamicShifting = false

  /// How Euler finds noise levels between those of training; `"linear"` is supported.
  public var interpolationType = "linear"
  /// What Euler tells the model; `"discrete"` is supported.
  public var timestepType = "discrete"
  /// The signal-to-noise ratio that DPM++ starts above, half its logarithm; not supported.
  public var lambdaMinClipped: Double?

  /// The noise level a sampling run ends at.
  public enum FinalSigma: String, CaseIterable, Codable, Sendable {
    /// A clean picture.
    case zero
    /// The lowest level of training.
    case sigmaMin = "sigma_min"
  }

  /// The defaults of diffusers.
  public init() {}

  /// Stable Diffusion 1.x, for checkpoints that come without a scheduler config.
  public static let stableDiffusion: SchedulerConfig = {
    var config = SchedulerConfig()
    config.betaSchedule = .scaledLinear
    config.betaStart = 0.00085
    config.betaEnd = 0.012
    config.stepsOffset = 1
    config.setAlphaToOne = false
    config.clipSample = false
    return config
  }()

  /// The sampler that `_className` names, or `nil` when it names none of ours.
  public var sampler: SamplerName? {
    guard let _className else { return nil }
    let found = SamplerName.Algorithm.allCases.first { $0.diffusers == _className }
    let isFlow = _className == "FlowMatchEulerDiscreteScheduler"
    guard let first = isFlow ? .euler : found else { return nil }
    guard let algorithm = first == .dpmpp2M ? multistep : first else { return nil }
    guard first.readsSigmaSettings else { return SamplerName(algorithm) }
    let isExponential = useExponentialSigmas || (useLuLambdas && first == .dpmpp2M)
    return SamplerName(
      algorithm,
      useKarrasSigmas
        ? .karras : isExponential ? .exponential : useBetaSigmas ? .beta : .normal)
  }

  /// Which of the DPM++ multistep solvers is meant.
  private var multistep: SamplerName.Algorithm? {
    switch (algorithmType, solverOrder) {
    case ("dpmsolver++", 2), ("deis", 2): .dpmpp2M
    case ("dpmsolver++", 3), ("deis", 3): .dpmpp3M
    case ("sde-dpmsolver++", 2): .dpmpp2MSDE
    case ("sde-dpmsolver++", 3): .dpmpp3MSDE
    default: nil
    }
  }

  /// Reads a config; every key may be missing or null.
  ///
  /// - Throws: `DecodingError` naming the key, what was found and what is known.
  public init(from decoder: any Decoder) throws {
    let keys = try decoder.container(keyedBy: CodingKeys.self)
    _className = try keys.decodeIfPresent(String.self, forKey: ._className)
    try keys.decode(into: &numTrainTimesteps, .numTrainTimesteps)
    try keys.decode(into: &betaStart, .betaStart)
    try keys.decode(into: &betaEnd, .betaEnd)
    try keys.decode(into: &betaSchedule, oneOf: .betaSchedule)
    trainedBetas = try keys.decodeIfPresent([Float].self, forKey: .trainedBetas)
    try keys.decode(into: &rescaleBetasZeroSnr, .rescaleBetasZeroSnr)
    try keys.decode(into: &predictionType, oneOf: .predictionType)
    var spacing = TimestepSpacing.leading
    if try keys.decode(into: &spacing, oneOf: .timestepSpacing) { timestepSpacing = spacing }
    try keys.decode(into: &stepsOffset, .stepsOffset)
    try keys.decode(into: &setAlphaToOne, .setAlphaToOne)
    clipSample = try keys.decodeIfPresent(Bool.self, forKey: .clipSample)
    try keys.decode(into: &clipSampleRange, .clipSampleRange)
    try keys.decode(into: &thresholding, .thresholding)
    varianceType = try keys.decodeIfPresent(String.self, forKey: .varianceType)
    try keys.decode(into: &useKarrasSigmas, .useKarrasSigmas)
    try keys.decode(into: &useExponentialSigmas, .useExponentialSigmas)
    try keys.decode(into: &useBetaSigmas, .useBetaSigmas)
    try keys.decode(into: &useLuLambdas, .useLuLambdas)
    try keys.decode(into: &useFlowSigmas, .useFlowSigmas)
    try keys.decode(into: &finalSigmasType, oneOf: .finalSigmasType)
    try keys.decode(into: &algorithmType, .algorithmType)
    try keys.decode(into: &solverOrder, .solverOrder)
    try keys.decode(into: &solverType, .solverType)
    try keys.decode(into: &lowerOrderFinal, .lowerOrderFinal)
    try keys.decode(into: &eulerAtFinal, .eulerAtFinal)
    try keys.decode(into: &predictX0, .predictX0)
    try keys.decode(into: &disableCorrector, .disableCorrector)
    try keys.decode(into: &skipPrkSteps, .skipPrkSteps)
    try keys.decode(into: &originalInferenceSteps, .originalInferenceSteps)
    try keys.decode(into: &timestepScaling, .timestepScaling)
    noiseSamplerSeed = try keys.decodeIfPresent(UInt64.self, forKey: .noiseSamplerSeed)
    try keys.decode(into: &shift, .shift)
    try keys.decode(into: &useDynamicShifting, .useDynamicShifting)
    try keys.decode(into: &interpolationType, .interpolationType)
    try keys.decode(into: &timestepType, .timestepType)
    let clipped = try keys.decodeIfPresent(Double.self, forKey: .lambdaMinClipped)
    lambdaMinClipped = clipped == -.infinity ? nil : clipped
    // Flow schedulers do not say what the model puts out; it follows from their name.
    if _className?.hasPrefix("FlowMatch") == true { predictionType = .flow }
  }

  /// Checks everything a noise schedule is made from.
  func validate() throws(SamplerError) {
    guard (2...100_000).contains(numTrainTimesteps) else {
      throw .invalidConfig("num_train_timesteps is \(numTrainTimesteps), expected 2 to 100000")
    }
    for (name, beta) in [("beta_start", betaStart), ("beta_end", betaEnd)]
    where !(beta > 0 && beta < 1) {
      throw .invalidConfig("\(name) is \(beta), expected a number between 0 and 1")
    }
    if let trainedBetas {
      guard trainedBetas.count == numTrainTimesteps else {
        throw .invalidConfig(
          "trained_betas has \(trainedBetas.count) numbers, expected \(numTrainTimesteps)")
      }
      guard trainedBetas.allSatisfy({ $0 > 0 && $0 < 1 }) else {
        throw .invalidConfig("trained_betas must lie between 0 and 1")
      }
    }
    guard (0..<numTrainTimesteps).contains(stepsOffset) else {
      throw .invalidConfig("steps_offset is \(stepsOffset), expected 0 to \(numTrainTimesteps - 1)")
    }
    guard clipSampleRange > 0 else {
      throw .invalidConfig("clip_sample_range is \(clipSampleRange), expected a positive number")
    }
    guard shift > 0, shift.isFinite else {
      throw .invalidConfig("shift is \(shift), expected a positive number")
    }
    try validateSupport()
  }

  /// Refuses what changes the picture and is not built.
  private func validateSupport() throws(SamplerError) {
    guard !thresholding else {
      throw .invalidConfig("thresholding is not supported; set it to false")
    }
    guard !useFlowSigmas else {
      throw .invalidConfig(
        "use_flow_sigmas is not supported; sample flow models with"
          + " FlowMatchEulerDiscreteScheduler")
    }
    guard !useDynamicShifting else {
      throw .invalidConfig("use_dynamic_shifting is not supported; set shift instead")
    }
    guard interpolationType == "linear" else {
      throw .invalidConfig("interpolation_type is \"\(interpolationType)\", supported is linear")
    }
    guard timestepType == "discrete" else {
      throw .invalidConfig("timestep_type is \"\(timestepType)\", supported is discrete")
    }
    guard lambdaMinClipped == nil else {
      throw .invalidConfig("lambda_min_clipped is not supported; leave it out")
    }
    guard (1...3).contains(solverOrder) else {
      throw .invalidConfig("solver_order is \(solverOrder), expected 1 to 3")
    }
  }
}

extension KeyedDecodingContainer {
  /// Replaces `value` when the key is there and not null, and tells whether it was.
  fileprivate func decode<T: Decodable>(into value: inout T, _ key: Key) throws {
    if let found = try decodeIfPresent(T.self, forKey: key) { value = found }
  }

  /// The same for a name out of a fixed set.
  @discardableResult
  fileprivate func decode<T: RawRepresentable<String> & CaseIterable>(
    into value: inout T, oneOf key: Key
  ) throws -> Bool {
    guard let name = try decodeIfPresent(String.self, forKey: key) else { return false }
    guard let found = T(rawValue: name) else {
      let known = T.allCases.map(\.rawValue).joined(separator: ", ")
      throw DecodingError.dataCorruptedError(
        forKey: key, in: self, debugDescription: "found \"\(name)\", expected one of: \(known)")
    }
    value = found
    return true
  }
}
