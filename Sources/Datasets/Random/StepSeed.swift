/// What a random number of a training run is for, so that no two uses share their numbers.
public enum RandomPurpose: UInt64, CaseIterable, Sendable {
  /// The order of the examples in an epoch.
  case order = 1
  /// The noise added to pictures.
  case noise = 2
  /// Timesteps or noise levels.
  case timesteps = 3
  /// Which of several captions is used.
  case captions = 4
  /// Which captions are dropped for classifier-free guidance.
  case captionDropout = 5
  /// The boxes cut out of photos.
  case crops = 6
  /// Which pictures are mirrored.
  case flips = 7
  /// Masks of dropout layers.
  case dropout = 8
  /// Draws from a VAE's posterior.
  case posterior = 9
  /// Initial weights.
  case weights = 10
  /// Pictures made for a preview.
  case preview = 11
}

/// The seed of one use of randomness in one step, a pure function of its arguments.
///
/// A resumed run has the numbers of an uninterrupted one without any generator's state in its
/// checkpoint. Two rounds of SplitMix64's output function, which is a permutation: of one run, two
/// steps of one purpose never share a seed.
///
/// - Parameters:
///   - seed: of the run.
///   - step: number of the step, the sample, or whatever is counted; at least 0.
///   - purpose: what the numbers are for.
/// - Returns: a seed for `SplitMix64` or any other generator.
public func stepSeed(_ seed: UInt64, _ step: Int, _ purpose: RandomPurpose) -> UInt64 {
  precondition(step >= 0, "stepSeed: the step must be at least 0, got \(step)")
  let gamma: UInt64 = 0x9E37_79B9_7F4A_7C15
  let base = SplitMix64.mix(seed &+ purpose.rawValue &* gamma)
  return SplitMix64.mix(SplitMix64.mix(base &+ UInt64(step) &* gamma) &+ gamma)
}
