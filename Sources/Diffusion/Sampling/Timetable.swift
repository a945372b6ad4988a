import ComputeCore

/// The noise levels a sampling run goes through, and how it starts.
public struct Timetable: Equatable, Sendable {
  /// The steps, from the highest noise level to the lowest.
  public let transitions: [Transition]
  /// What normal noise is multiplied by to start from nothing; `init_noise_sigma` in diffusers.
  public let initNoiseSigma: Float
  /// Steps that were asked for; there are more transitions with PNDM, and fewer in a suffix.
  public let steps: Int
  /// Levels of the steps that a suffix leaves out, from the highest.
  let skipped: [NoiseLevel]

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
    let kept = max(0, min(steps, Int(Double(steps) * strength)))
    let first = kept == 0 ? transitions.count : min(transitions.count, steps - kept)
    return Timetable(
      transitions: Array(transitions[first...]), initNoiseSigma: initNoiseSigma, steps: steps,
      skipped: skipped + transitions[..<first].map(\.level))
  }

  /// The lowest noise per picture above 0 and the highest; `nil` without such a range.
  public var sigmaRange: ClosedRange<Float>? {
    let ends = transitions.last.map { [$0.next] } ?? []
    let sigmas = (transitions.map(\.level) + ends).map(\.sigmaRatio).filter { $0 > 0 }
    guard let low = sigmas.min(), let high = sigmas.max(), low < high, high.isFinite else {
      return nil
    }
    return low...high
  }
}

extension Timetable {
  /// Steps from each level to the following one, and from the last to `final`.
  package init(
    _ levels: [NoiseLevel], endingAt final: NoiseLevel, initNoiseSigma: Float,
    schedule: NoiseSchedule
  ) {
    self.init(
      Array(zip(levels, levels.dropFirst() + [final])), steps: levels.count,
      initNoiseSigma: initNoiseSigma, schedule: schedule)
  }

  /// Steps with their levels before and after.
  init(
    _ moves: [(NoiseLevel, NoiseLevel)], steps: Int, initNoiseSigma: Float, schedule: NoiseSchedule
  ) {
    self.init(
      transitions: moves.enumerated().map { index, move in
        Transition(
          index: index, count: moves.count, level: move.0, next: move.1, schedule: schedule)
      },
      initNoiseSigma: initNoiseSigma, steps: steps, skipped: [])
  }
}
