import Glibc

/// How the noise levels of a sampling run are spaced between its highest and its lowest.
///
/// A new spacing is one more case here, with its two spellings in `SamplerName` and its numbers
/// in `sigmas(_:from:to:)`. Raw values are ComfyUI's names.
public enum SigmaSchedule: String, CaseIterable, Sendable {
  /// The levels the model was trained with, at the timesteps of a `TimestepSpacing`.
  case normal
  /// More steps at low noise. Source: Karras et al. 2022, arXiv:2206.00364 eq. 5 with ρ = 7.
  case karras
  /// Logarithms evenly spaced.
  case exponential

  /// Falling noise levels of `steps` steps without the final one, or `nil` for the model's own.
  func sigmas(_ steps: Int, from highest: Double, to lowest: Double) -> [Double]? {
    switch self {
    case .normal:
      return nil
    case .karras:
      let rho = 7.0
      let (high, low) = (pow(highest, 1 / rho), pow(lowest, 1 / rho))
      return ramp(steps).map { pow(high + $0 * (low - high), rho) }
    case .exponential:
      let (high, low) = (log(highest), log(lowest))
      return ramp(steps).map { exp(high + $0 * (low - high)) }
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

  /// Where between the training timesteps a noise level lies, linear in its logarithm.
  ///
  /// Levels outside those of training give the first or the last timestep.
  func timestep(of sigma: Double) -> Double {
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
