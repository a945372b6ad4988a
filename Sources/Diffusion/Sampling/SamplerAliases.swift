extension SamplerName.Algorithm {
  /// The names of an algorithm in the programs people know it from.
  struct Names {
    let comfyUI: String
    let a1111: String
    let diffusers: String?
    let others: [String]

    init(_ comfyUI: String, _ a1111: String, _ diffusers: String?, _ others: String...) {
      (self.comfyUI, self.a1111, self.diffusers, self.others) = (comfyUI, a1111, diffusers, others)
    }
  }

  /// The table of all names; programs that lack an algorithm get the name they would give it.
  var names: Names {
    switch self {
    case .euler: Names("euler", "Euler", "EulerDiscreteScheduler", "flow_euler", "FlowMatchEuler")
    case .eulerAncestral:
      Names("euler_ancestral", "Euler a", "EulerAncestralDiscreteScheduler", "euler_a")
    case .heun: Names("heun", "Heun", "HeunDiscreteScheduler")
    case .lms: Names("lms", "LMS", "LMSDiscreteScheduler", "k_lms")
    case .dpm2: Names("dpm_2", "DPM2", "KDPM2DiscreteScheduler", "kdpm2")
    case .dpm2Ancestral:
      Names(
        "dpm_2_ancestral", "DPM2 a", "KDPM2AncestralDiscreteScheduler", "dpm_2_a", "kdpm2_a",
        "kdpm2_ancestral")
    case .dpmpp2M:
      Names("dpmpp_2m", "DPM++ 2M", "DPMSolverMultistepScheduler", "dpm++2m", "dpm++_2m", "dpm++")
    case .dpmpp3M: Names("dpmpp_3m", "DPM++ 3M", "DPMSolverMultistepScheduler", "dpm++3m")
    case .dpmpp2MSDE:
      Names("dpmpp_2m_sde", "DPM++ 2M SDE", "DPMSolverMultistepScheduler", "dpm++2m_sde")
    case .dpmpp3MSDE:
      Names("dpmpp_3m_sde", "DPM++ 3M SDE", "DPMSolverMultistepScheduler", "dpm++3m_sde")
    case .dpmpp2SAncestral:
      Names("dpmpp_2s_ancestral", "DPM++ 2S a", nil, "dpmpp_2s_a", "dpm++2s_a", "dpmpp_2s")
    case .dpmppSDE: Names("dpmpp_sde", "DPM++ SDE", "DPMSolverSDEScheduler", "dpm++sde")
    case .ddim: Names("ddim", "DDIM", "DDIMScheduler")
    case .ddpm: Names("ddpm", "DDPM", "DDPMScheduler")
    case .pndm: Names("plms", "PLMS", "PNDMScheduler", "pndm")
    case .uniPC: Names("uni_pc_bh2", "UniPC", "UniPCMultistepScheduler", "unipc_bh2", "uni_pc_b2")
    case .uniPCBH1:
      Names("uni_pc", "UniPC bh1", "UniPCMultistepScheduler", "unipc_bh1", "uni_pc_bh1")
    case .deis: Names("deis", "DEIS", "DEISMultistepScheduler")
    case .lcm: Names("lcm", "LCM", "LCMScheduler")
    case .tcd: Names("tcd", "TCD", "TCDScheduler")
    }
  }

  /// Every spelling that is read, in lower case and with spaces for underscores.
  ///
  /// `uni_pc` is both variants of UniPC: the first of `allCases` that reads it is meant, which is
  /// diffusers' bh2 among its own samplers.
  func spellings(like likeness: Likeness) -> [String] {
    let names = names
    let scheduler = names.diffusers.map { [$0, String($0.dropLast("Scheduler".count))] } ?? []
    let own = self == .uniPC && likeness == .diffusers ? ["uni_pc"] : []
    return ([names.comfyUI, names.a1111] + scheduler + names.others + own).map(folded)
  }
}

extension SigmaSchedule {
  /// ComfyUI's `scheduler`, or diffusers' `timestep_spacing`.
  public var comfyUI: String { rawValue }

  /// The label in AUTOMATIC1111's web UI, or one in its style.
  public var a1111: String {
    switch self {
    case .normal: "Normal"
    case .karras: "Karras"
    case .exponential: "Exponential"
    case .sgmUniform: "SGM Uniform"
    case .simple: "Simple"
    case .beta: "Beta"
    case .linspace: "Linspace"
    case .leading: "Leading"
    case .trailing: "Trailing"
    }
  }

  /// Every spelling that is read, in lower case and with spaces for underscores.
  var spellings: [String] {
    let others =
      switch self {
      case .normal: ["uniform", "discrete", "default"]
      case .karras: ["use_karras_sigmas"]
      case .exponential: ["use_exponential_sigmas"]
      case .beta: ["use_beta_sigmas"]
      case .sgmUniform: ["sgm"]
      default: [String]()
      }
    return ([comfyUI, a1111] + others).map(folded)
  }
}

extension SamplerName {
  /// Every sampler and schedule with its names, one a line, for people.
  public static var help: String {
    let algorithms = Algorithm.allCases.map { algorithm in
      let names = algorithm.names
      return "  \(padded(names.comfyUI, 20))\(padded(names.a1111, 16))\(names.diffusers ?? "-")"
    }
    let schedules = SigmaSchedule.allCases.map { "  \(padded($0.comfyUI, 20))\($0.a1111)" }
    return """
      Samplers (ComfyUI, AUTOMATIC1111, diffusers):
      \(algorithms.joined(separator: "\n"))
      Noise schedules, such as "DPM++ 2M Karras" or dpmpp_2m_karras:
      \(schedules.joined(separator: "\n"))
      ddim, ddpm and plms visit timesteps of training: normal, linspace, leading or trailing.
      lcm and tcd visit the timesteps they were distilled for.
      uni_pc is ComfyUI's bh1 variant, but like diffusers its bh2; uni_pc_bh1 is always bh1.
      """
  }

  private static func padded(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(1, width - text.count))
  }
}

/// Lower case, underscores as spaces, without spaces at the ends or double ones.
func folded(_ text: String) -> String {
  text.lowercased().split { $0 == "_" || $0.isWhitespace }.joined(separator: " ")
}
