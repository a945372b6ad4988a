import Glibc

/// How the variance that each training timestep adds grows with the timestep.
///
/// Raw values are the names in a diffusers `scheduler_config.json`.
public enum BetaSchedule: String, CaseIterable, Codable, Sendable {
  /// Evenly spaced. Source: Ho et al. 2020, arXiv:2006.11239 §4.
  case linear
  /// Square roots evenly spaced; Stable Diffusion. Source: CompVis latent-diffusion.
  case scaledLinear = "scaled_linear"
  /// Cosine. Source: Nichol & Dhariwal 2021, arXiv:2102.09672 eq. 17, capped at 0.999.
  case squaredcosCapV2 = "squaredcos_cap_v2"

  /// Variances of `count` timesteps, at least 1, rounded as diffusers rounds them.
  ///
  /// The cosine schedule uses neither `start` nor `end`.
  func betas(from start: Double, to end: Double, count: Int) -> [Float] {
    switch self {
    case .linear:
      evenlySpaced(from: start, to: end, count: count)
    case .scaledLinear:
      evenlySpaced(from: start.squareRoot(), to: end.squareRoot(), count: count).map { $0 * $0 }
    case .squaredcosCapV2:
      cosineBetas(count: count)
    }
  }
}

/// Evenly spaced numbers in float32: filled from both ends with fused steps, as torch does.
private func evenlySpaced(from start: Double, to end: Double, count: Int) -> [Float] {
  let (first, last) = (Float(start), Float(end))
  guard count > 1 else { return [first] }
  let step = (last - first) / Float(count - 1)
  return (0..<count).map { index in
    index < count / 2
      ? first.addingProduct(step, Float(index))
      : last.addingProduct(-step, Float(count - 1 - index))
  }
}

private func cosineBetas(count: Int) -> [Float] {
  func alphaBar(_ time: Double) -> Double {
    let cosine = cos((time + 0.008) / 1.008 * Double.pi / 2)
    return cosine * cosine
  }
  return (0..<count).map { index in
    let (start, end) = (Double(index) / Double(count), Double(index + 1) / Double(count))
    return Float(min(1 - alphaBar(end) / alphaBar(start), 0.999))
  }
}

/// Running products of `1 − beta`, multiplied in 64 bits and rounded to 32 as torch's `cumprod`.
func cumulativeAlphas(_ betas: [Float]) -> [Float] {
  var product = 1.0
  return betas.map { beta in
    product *= Double(1 - beta)
    return Float(product)
  }
}

/// The variances stretched so that nothing of the picture is left at the last timestep.
///
/// Source: Lin et al. 2023, arXiv:2305.08891, Algorithm 1.
func rescaledToZeroTerminalSNR(_ betas: [Float]) -> [Float] {
  let roots = cumulativeAlphas(betas).map { $0.squareRoot() }
  guard let first = roots.first, let last = roots.last, first > last else { return betas }
  let scale = first / (first - last)
  let alphasBar = roots.map { root in
    let shifted = (root - last) * scale
    return shifted * shifted
  }
  return alphasBar.indices.map { index in
    1 - (index == 0 ? alphasBar[0] : alphasBar[index] / alphasBar[index - 1])
  }
}
