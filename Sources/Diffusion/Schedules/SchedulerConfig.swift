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
  /// The noise level that Euler and DPM++ 2M end at.
  public var finalSigmasType = FinalSigma.zero
  /// The multistep solver of a config of diffusers' `DPMSolverMultistepScheduler`.
  public var algorithmType = "dpmsolver++"
  /// Its order.
  public var solverOrder = 2
  /// How it takes second-order steps.
  public var solverType = "midpoint"
  /// Whether DPM++ 2M takes a first-order last step in runs of fewer than 15 steps.
  public var lowerOrderFinal = true
  /// Whether DPM++ 2M always takes a first-order last step.
  public var eulerAtFinal = false

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
    let algorithms = SamplerName.Algorithm.allCases
    guard let algorithm = algorithms.first(where: { $0.diffusers == _className }) else {
      return nil
    }
    let isOtherMultistep =
      solverOrder != 2 || algorithmType != "dpmsolver++" || solverType != "midpoint"
    if algorithm == .dpmpp2M && isOtherMultistep { return nil }
    guard algorithm.hasSigmaSchedules else { return SamplerName(algorithm) }
    return SamplerName(
      algorithm, useKarrasSigmas ? .karras : useExponentialSigmas ? .exponential : .normal)
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
    try keys.decode(into: &finalSigmasType, oneOf: .finalSigmasType)
    try keys.decode(into: &algorithmType, .algorithmType)
    try keys.decode(into: &solverOrder, .solverOrder)
    try keys.decode(into: &solverType, .solverType)
    try keys.decode(into: &lowerOrderFinal, .lowerOrderFinal)
    try keys.decode(into: &eulerAtFinal, .eulerAtFinal)
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
