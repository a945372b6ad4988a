/// A sampler as users name it: an algorithm and how its noise levels are spaced.
public struct SamplerName: Hashable, Sendable {
  /// How a sample is moved to a lower noise level.
  public enum Algorithm: CaseIterable, Sendable {
    /// `Euler`
    case euler
    /// `EulerAncestral`
    case eulerAncestral
    /// `DDIM`
    case ddim
    /// `DDPM`
    case ddpm
    /// `DPMPP2M`
    case dpmpp2M

    /// ComfyUI's `sampler_name`.
    public var comfyUI: String {
      switch self {
      case .euler: "euler"
      case .eulerAncestral: "euler_ancestral"
      case .ddim: "ddim"
      case .ddpm: "ddpm"
      case .dpmpp2M: "dpmpp_2m"
      }
    }

    /// The label in AUTOMATIC1111's web UI.
    public var a1111: String {
      switch self {
      case .euler: "Euler"
      case .eulerAncestral: "Euler a"
      case .ddim: "DDIM"
      case .ddpm: "DDPM"
      case .dpmpp2M: "DPM++ 2M"
      }
    }

    /// The class in diffusers whose steps ours equal.
    public var diffusers: String {
      switch self {
      case .euler: "EulerDiscreteScheduler"
      case .eulerAncestral: "EulerAncestralDiscreteScheduler"
      case .ddim: "DDIMScheduler"
      case .ddpm: "DDPMScheduler"
      case .dpmpp2M: "DPMSolverMultistepScheduler"
      }
    }

    /// Whether the noise levels can be spaced freely, rather than lie on training timesteps.
    public var hasSigmaSchedules: Bool { self != .ddim && self != .ddpm }
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

  /// Reads a name in ComfyUI's or AUTOMATIC1111's spelling; upper and lower case count the same.
  ///
  /// A noise schedule may follow: `"DPM++ 2M Karras"`, `"dpmpp_2m_karras"`.
  ///
  /// - Parameters:
  ///   - text: the name.
  ///   - schedule: the noise schedule where it is named apart (`scheduler`, `Schedule type`);
  ///     `"Automatic"` and an empty text leave it to `text`.
  /// - Throws: `SamplerError.unknownSampler`, `.unknownSigmaSchedule` or
  ///   `.sigmaScheduleNotAvailable`.
  public init(parsing text: String, schedule: String = "") throws(SamplerError) {
    let name = try SamplerName.sampler(text)
    let given = folded(schedule)
    guard !given.isEmpty, given != "automatic" else {
      self = name
      return
    }
    let known = SigmaSchedule.allCases
    guard let sigmas = known.first(where: { $0.spellings.contains(given) }) else {
      let names = known.map(\.comfyUI)
      throw .unknownSigmaSchedule(schedule, nearest: nearest(given, in: names), known: names)
    }
    guard sigmas == .normal || name.algorithm.hasSigmaSchedules else {
      throw .sigmaScheduleNotAvailable(name.algorithm, sigmas)
    }
    self.init(name.algorithm, sigmas)
  }

  /// ComfyUI's spelling, with the noise schedule after it unless that is the normal one.
  public var comfyUI: String {
    sigmas == .normal ? algorithm.comfyUI : "\(algorithm.comfyUI)_\(sigmas.comfyUI)"
  }

  /// AUTOMATIC1111's spelling, with the noise schedule after it unless that is the normal one.
  public var a1111: String {
    sigmas == .normal ? algorithm.a1111 : "\(algorithm.a1111) \(sigmas.a1111)"
  }

  /// Every sampler with every noise schedule it can use.
  public static let all: [SamplerName] = Algorithm.allCases.flatMap { algorithm in
    (algorithm.hasSigmaSchedules ? SigmaSchedule.allCases : [.normal]).map {
      SamplerName(algorithm, $0)
    }
  }

  private static func sampler(_ text: String) throws(SamplerError) -> SamplerName {
    let given = folded(text)
    if let name = all.first(where: { [folded($0.comfyUI), folded($0.a1111)].contains(given) }) {
      return name
    }
    for algorithm in Algorithm.allCases where !algorithm.hasSigmaSchedules {
      for sigmas in SigmaSchedule.allCases where given == "\(algorithm.comfyUI) \(sigmas.comfyUI)" {
        throw .sigmaScheduleNotAvailable(algorithm, sigmas)
      }
    }
    let names = all.map(\.comfyUI)
    let best = nearest(given, in: all.flatMap { [$0.comfyUI, $0.a1111] })
    throw .unknownSampler(text, nearest: best, known: names)
  }
}

extension SamplerName: CustomStringConvertible {
  /// ComfyUI's spelling.
  public var description: String { comfyUI }
}

extension SigmaSchedule {
  /// ComfyUI's `scheduler`.
  public var comfyUI: String { rawValue }

  /// The label in AUTOMATIC1111's web UI.
  public var a1111: String {
    switch self {
    case .normal: "Normal"
    case .karras: "Karras"
    case .exponential: "Exponential"
    case .sgmUniform: "SGM Uniform"
    case .simple: "Simple"
    }
  }

  fileprivate var spellings: [String] { [folded(comfyUI), folded(a1111)] }
}

/// Lower case, underscores as spaces, without spaces at the ends or double ones.
private func folded(_ text: String) -> String {
  text.lowercased().split { $0 == "_" || $0.isWhitespace }.joined(separator: " ")
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
