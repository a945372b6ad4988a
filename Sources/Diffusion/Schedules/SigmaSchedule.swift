import Glibc

/// How the noise levels of a sampling run are spaced between its highest and its lowest.
///
/// A new spacing is one more case here, with its names in `SamplerAliases.swift` and its numbers in
/// `points`. Raw values are ComfyUI's names, or those of diffusers for timestep spacings.
public enum SigmaSchedule: String, CaseIterable, Sendable {
  /// The levels the model was trained with, at timesteps spaced as its config says.
  case normal
  /// More steps at low noise. Source: Karras et al. 2022, arXiv:2206.00364 eq. 5 with ρ = 7.
  case karras
  /// Logarithms evenly spaced.
  case exponential
  /// Timesteps evenly spaced down to 0, which is left out. Source: ComfyUI `normal_scheduler`.
  case sgmUniform = "sgm_uniform"
  /// Every so many of the trained levels, from the highest. Source: ComfyUI `simple_scheduler`.
  case simple
  /// More steps at both ends. Source: Lee et al. 2024, arXiv:2407.12173, with 0.6 for both
  /// parameters, over the levels as in diffusers and AUTOMATIC1111's web UI.
  case beta
  /// The levels the model was trained with, at `TimestepSpacing.linspace`.
  case linspace
  /// The levels the model was trained with, at `TimestepSpacing.leading`.
  case leading
  /// The levels the model was trained with, at `TimestepSpacing.trailing`.
  case trailing

  /// The timestep spacing that this is, if it is one.
  var spacing: TimestepSpacing? { TimestepSpacing(rawValue: rawValue) }

  /// Whether the points are timesteps of training, which every algorithm can visit.
  var isTrained: Bool { self == .normal || spacing != nil }

  /// The points of a run, falling, without the level it ends at.
  enum Points {
    /// The timesteps of the `TimestepSpacing`.
    case spaced
    /// Noise levels; the timesteps follow from them.
    case sigmas([Double])
    /// Timesteps, with fractions; the noise levels follow from them.
    case timesteps([Double])
  }

  /// The points of a run of `steps` steps over `count` training timesteps.
  ///
  /// - Parameters:
  ///   - steps: at least 1.
  ///   - count: at least `steps`.
  ///   - highest: the first noise level, for schedules that space the levels themselves.
  ///   - lowest: the last one before the final level.
  /// - Returns: as many points as steps.
  func points(_ steps: Int, of count: Int, from highest: Double, to lowest: Double) -> Points {
    switch self {
    case .normal, .linspace, .leading, .trailing:
      return .spaced
    case .karras:
      let rho = 7.0
      let (high, low) = (pow(highest, 1 / rho), pow(lowest, 1 / rho))
      return .sigmas(ramp(steps).map { pow(high + $0 * (low - high), rho) })
    case .exponential:
      let (high, low) = (log(highest), log(lowest))
      return .sigmas(ramp(steps).map { exp(high + $0 * (low - high)) })
    case .beta:
      let distribution = BetaDistribution(alpha: 0.6, beta: 0.6)
      return .sigmas(
        ramp(steps).map { lowest + distribution.quantile(1 - $0) * (highest - lowest) })
    case .sgmUniform:
      let stride = Double(count - 1) / Double(steps)
      return .timesteps((0..<steps).map { Double(count - 1) - Double($0) * stride })
    case .simple:
      let stride = Double(count) / Double(steps)
      return .timesteps((0..<steps).map { Double(count - 1 - Int(Double($0) * stride)) })
    }
  }
}

/// Evenly spaced numbers from 0 to 1; 0 alone for a single step.
private func ramp(_ steps: Int) -> [Double] {
  (0..<steps).map { steps == 1 ? 0 : Double($0) / Double(steps - 1) }
}

extension NoiseSchedule {
  /// The noise level at a timestep between two of training, linear in between.
  func sigma(at timestep: Double) -> Double {
    let low = max(0, min(count - 2, Int(timestep)))
    guard count > 1 else { return Double(sigmas[0]) }
    let (below, above) = (Double(sigmas[low]), Double(sigmas[low + 1]))
    return timestep >= Double(count - 1)
      ? Double(sigmas[count - 1]) : below + (above - below) * (timestep - Double(low))
  }

  /// The variance-preserving level of a timestep, which is taken into those of training.
  func level(_ timestep: Int) -> NoiseLevel {
    let held = max(0, min(count - 1, timestep))
    return .preserving(alphaCumprod: alphasCumprod[held], timestep: Float(held))
  }

  /// The noise level at a timestep between two of training, its logarithm linear in between.
  package func sigmaLogLinear(at timestep: Double) -> Double {
    let low = max(0, min(count - 1, Int(timestep)))
    let (below, above) = (log(Double(sigmas[low])), log(Double(sigmas[min(low + 1, count - 1)])))
    return exp(below + (above - below) * (timestep - Double(low)))
  }

  /// Where between the training timesteps a noise level lies, linear in its logarithm.
  ///
  /// Levels outside those of training give the first or the last timestep.
  package func timestep(of sigma: Double) -> Double {
    let target = log(max(sigma, 1e-10))
    let after = sigmas.partitioningIndex { Double(log($0)) > target }
    let low = max(0, min(after - 1, count - 2))
    guard count > 1 else { return 0 }
    let (below, above) = (log(sigmas[low]), log(sigmas[low + 1]))
    let weight = max(0, min(1, (Double(below) - target) / Double(below - above)))
    return (1 - weight) * Double(low) + weight * Double(low + 1)
  }
}

extension [Float] {
  /// The first index whose element belongs to the second part; elements must be parted already.
  fileprivate func partitioningIndex(where isInSecondPart: (Float) -> Bool) -> Int {
    var (low, high) = (startIndex, endIndex)
    while low < high {
      let middle = (low + high) / 2
      if isInSecondPart(self[middle]) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
