/// The program whose picture a seed shall give.
///
/// It decides where random numbers come from, how noise levels are spaced, and a few details of the
/// solvers. Raw values are what the command line reads.
public enum Likeness: String, CaseIterable, Codable, Sendable {
  /// diffusers with generators on the CPU: spacing and details as the scheduler config says.
  case diffusers
  /// AUTOMATIC1111's web UI with random numbers of the source "NV", equal to those of a GPU.
  case a1111
  /// AUTOMATIC1111's web UI with random numbers of the source "CPU".
  case a1111CPU = "a1111-cpu"
  /// ComfyUI with sampling on the CPU.
  case comfyUI = "comfyui"

  /// Whether sampling follows k-diffusion: noise levels of the whole training, ending at 0.
  var isKDiffusion: Bool { self != .diffusers }

  /// Random numbers for a batch of pictures.
  ///
  /// - Parameters:
  ///   - seeds: one per picture, at least one. ComfyUI draws once for the whole batch, from the
  ///     first seed; the others draw for each picture, so that it is what its seed gives alone.
  ///     What diffusers makes of a batch from a single generator is `TorchNoise(seed:)`.
  ///   - name: decides whether steps draw from a Brownian path.
  ///   - timetable: the run's, which the path spans.
  ///   - pathSeed: of the path for all pictures, where the scheduler config gives one.
  /// - Returns: a source that gives the noise to start from first, then that of the steps.
  public func noise(
    seeds: [UInt64], for name: SamplerName, _ timetable: Timetable, pathSeed: UInt64? = nil
  ) -> any NoiseSource {
    let first = seeds.first ?? 0
    let fresh: any NoiseSource =
      switch self {
      case .diffusers, .a1111CPU: TorchNoise(seeds: seeds)
      case .a1111: PhiloxNoise(seeds: seeds)
      case .comfyUI: SplitNoise(TorchNoise(seed: first), then: TorchNoise(seed: first &+ 1))
      }
    guard hasPath(name.algorithm), let range = timetable.sigmaRange else { return fresh }
    let pathSeeds = pathSeed.map { [$0] } ?? (self == .comfyUI ? [first] : seeds)
    return BrownianNoise(
      fresh, seeds: pathSeeds, over: range, generator: self == .a1111 ? .philox : .torch)
  }

  /// Whether the noise of a solver's steps comes from a Brownian path.
  private func hasPath(_ algorithm: SamplerName.Algorithm) -> Bool {
    switch algorithm {
    case .dpmppSDE: true
    case .dpmpp2MSDE, .dpmpp3MSDE: isKDiffusion
    default: false
    }
  }

  /// Whether one level more is laid out and the last but one left out, so that the last step is
  /// longer.
  ///
  /// Source: `discard_next_to_last_sigma` in AUTOMATIC1111's `sd_samplers_kdiffusion.py`,
  /// `DISCARD_PENULTIMATE_SIGMA_SAMPLERS` in ComfyUI's `samplers.py`.
  func discardsPenultimate(_ algorithm: SamplerName.Algorithm) -> Bool {
    switch (self, algorithm) {
    case (.diffusers, _): false
    case (_, .dpm2), (_, .dpm2Ancestral): true
    case (.comfyUI, .uniPC), (.comfyUI, .uniPCBH1): true
    case (.a1111, .dpmpp3MSDE), (.a1111CPU, .dpmpp3MSDE): true
    default: false
    }
  }
}
