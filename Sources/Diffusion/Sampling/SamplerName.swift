/// A sampler as users name it: an algorithm and how its noise levels are spaced.
public struct SamplerName: Hashable, Sendable {
  /// How a sample is moved to a lower noise level; the solver of that name.
  public enum Algorithm: CaseIterable, Sendable {
    case euler, eulerAncestral, heun, lms, dpm2, dpm2Ancestral
    case dpmpp2M, dpmpp3M, dpmpp2MSDE, dpmpp3MSDE, dpmpp2SAncestral, dpmppSDE
    case ddim, ddpm, pndm, uniPC, uniPCBH1, deis, lcm, tcd

    /// ComfyUI's `sampler_name`.
    public var comfyUI: String { names.comfyUI }

    /// The label in AUTOMATIC1111's web UI.
    public var a1111: String { names.a1111 }

    /// The class in diffusers whose steps ours equal, if there is one.
    public var diffusers: String? { names.diffusers }

    /// Whether the noise levels can be spaced freely, rather than lie on training timesteps.
    public var hasSigmaSchedules: Bool { scaling != .trained && scaling != .distilled }

    /// How samples are scaled, and where their noise levels come from.
    enum Scaling {
      /// Variance preserving, on whole timesteps of training.
      case trained
      /// The same, on timesteps of a distillation.
      case distilled
      /// Variance preserving, at any noise level.
      case preserving
      /// Variance exploding, at any noise level.
      case exploding
    }

    /// How samples are scaled, and where their noise levels come from.
    var scaling: Scaling {
      switch self {
      case .ddim, .ddpm, .pndm: .trained
      case .lcm, .tcd: .distilled
      case .dpmpp2M, .dpmpp3M, .dpmpp2MSDE, .dpmpp3MSDE, .uniPC, .uniPCBH1, .deis: .preserving
      case .euler, .eulerAncestral, .heun, .lms, .dpm2, .dpm2Ancestral, .dpmpp2SAncestral,
        .dpmppSDE:
        .exploding
      }
    }

    /// Whether the solver works for flow models, whose samples are scaled in yet another way.
    var canFlow: Bool { self == .euler || self == .heun }

    /// Whether diffusers' class knows `use_karras_sigmas` and its like.
    var readsSigmaSettings: Bool { hasSigmaSchedules && self != .eulerAncestral }

    /// Whether the noise levels can be spaced like this.
    func allows(_ sigmas: SigmaSchedule) -> Bool {
      sigmas == .normal || hasSigmaSchedules || (scaling == .trained && sigmas.isTrained)
    }
  }

  /// How a sample is moved to a lower noise level.
  public let algorithm: Algorithm
  /// How the noise levels are spaced.
  public let sigmas: SigmaSchedule

  /// An algorithm that steps along the noise levels of training.
  public init(_ algorithm: Algorithm) {
    self.algorithm = algorithm
    sigmas = .normal
  }

  /// An algorithm with spaced noise levels; `Sampler` refuses a pair that does not exist.
  public init(_ algorithm: Algorithm, _ sigmas: SigmaSchedule) {
    self.algorithm = algorithm
    self.sigmas = sigmas
  }

  /// Reads a name as ComfyUI, AUTOMATIC1111 or diffusers spells it; upper and lower case count the
  /// same.
  ///
  /// A noise schedule may follow: `"DPM++ 2M Karras"`, `"dpmpp_2m_karras"`.
  ///
  /// - Parameters:
  ///   - text: the name.
  ///   - schedule: the noise schedule where it is named apart (`scheduler`, `Schedule type`);
  ///     `"Automatic"` and an empty text leave it to `text`.
  ///   - likeness: the program whose `uni_pc` is meant: UniPC's bh2 variant in diffusers, else bh1.
  /// - Throws: `SamplerError.unknownSampler`, `.unknownSigmaSchedule` or
  ///   `.sigmaScheduleNotAvailable`.
  public init(
    parsing text: String, schedule: String = "", like likeness: Likeness = .comfyUI
  ) throws(SamplerError) {
    var name = try SamplerName.sampler(text, like: likeness)
    let given = folded(schedule)
    if !given.isEmpty, given != "automatic" {
      let known = SigmaSchedule.allCases
      guard let sigmas = known.first(where: { $0.spellings.contains(given) }) else {
        let names = known.map(\.comfyUI)
        throw .unknownSigmaSchedule(schedule, nearest: nearest(given, in: names), known: names)
      }
      name = SamplerName(name.algorithm, sigmas)
    }
    guard name.algorithm.allows(name.sigmas) else {
      throw .sigmaScheduleNotAvailable(name.algorithm, name.sigmas)
    }
    self = name
  }

  /// ComfyUI's spelling, with the noise schedule after it unless that is the normal one.
  public var comfyUI: String {
    sigmas == .normal ? algorithm.comfyUI : "\(algorithm.comfyUI)_\(sigmas.comfyUI)"
  }

  /// A spelling that is read back for the same likeness: ComfyUI's, unless that means another one.
  public func spelling(like likeness: Likeness) -> String {
    guard likeness == .diffusers, algorithm == .uniPCBH1 else { return comfyUI }
    return sigmas == .normal ? "uni_pc_bh1" : "uni_pc_bh1_\(sigmas.comfyUI)"
  }

  /// AUTOMATIC1111's spelling, with the noise schedule after it unless that is the normal one.
  public var a1111: String {
    sigmas == .normal ? algorithm.a1111 : "\(algorithm.a1111) \(sigmas.a1111)"
  }

  /// Every sampler with every noise schedule it can use.
  public static let all: [SamplerName] = Algorithm.allCases.flatMap { algorithm in
    SigmaSchedule.allCases.filter(algorithm.allows).map { SamplerName(algorithm, $0) }
  }

  private static func sampler(
    _ text: String, like likeness: Likeness
  ) throws(SamplerError) -> SamplerName {
    let given = folded(text)
    for algorithm in Algorithm.allCases {
      for spelling in algorithm.spellings(like: likeness) {
        if given == spelling { return SamplerName(algorithm) }
        guard given.hasPrefix(spelling + " ") else { continue }
        let rest = String(given.dropFirst(spelling.count + 1))
        if let sigmas = SigmaSchedule.allCases.first(where: { $0.spellings.contains(rest) }) {
          return SamplerName(algorithm, sigmas)
        }
      }
    }
    let best = nearest(given, in: all.flatMap { [$0.comfyUI, $0.a1111] })
    throw .unknownSampler(text, nearest: best, known: Algorithm.allCases.map(\.comfyUI))
  }
}

extension SamplerName: CustomStringConvertible {
  /// ComfyUI's spelling.
  public var description: String { comfyUI }
}

/// The candidate that takes the fewest letters inserted, left out or replaced; ties: the first.
private func nearest(_ text: String, in candidates: [String]) -> String {
  let distances = candidates.map { editDistance(folded($0), text) }
  let best = zip(candidates, distances).min { $0.1 < $1.1 }
  return best?.0 ?? ""
}

private func editDistance(_ a: String, _ b: String) -> Int {
  let target = Array(b)
  var row = Array(0...target.count)
  for (i, letter) in a.enumerated() {
    var diagonal = row[0]
    row[0] = i + 1
    for j in target.indices {
      let replaced = diagonal + (letter == target[j] ? 0 : 1)
      diagonal = row[j + 1]
      row[j + 1] = min(replaced, row[j] + 1, row[j + 1] + 1)
    }
  }
  return row[target.count]
}
