/// A request or a config that cannot be sampled with.
public enum SamplerError: Error, Equatable, CustomStringConvertible {
  /// No sampler has this name; the nearest that exists, and all names.
  case unknownSampler(String, nearest: String, known: [String])
  /// No spacing of noise levels has this name; the nearest that exists, and all names.
  case unknownSigmaSchedule(String, nearest: String, known: [String])
  /// The sampler visits training timesteps only, so its noise levels cannot be spaced like this.
  case sigmaScheduleNotAvailable(SamplerName.Algorithm, SigmaSchedule)
  /// So many steps cannot be spaced over the training timesteps.
  case stepCount(Int, most: Int)
  /// An epsilon model cannot start where nothing of the picture is left.
  case epsilonAtZeroSNR(SamplerName.Algorithm)
  /// A flow model cannot be sampled with this.
  case notForFlow(SamplerName.Algorithm)
  /// A setting of the scheduler config that is wrong or not supported.
  case invalidConfig(String)

  /// What was found, what is possible and what to do.
  public var description: String {
    switch self {
    case .unknownSampler(let name, let nearest, let known):
      "unknown sampler \"\(name)\"; did you mean \"\(nearest)\"? Known: "
        + known.joined(separator: ", ")
    case .unknownSigmaSchedule(let name, let nearest, let known):
      "unknown noise schedule \"\(name)\"; did you mean \"\(nearest)\"? Known: "
        + known.joined(separator: ", ")
    case .sigmaScheduleNotAvailable(let algorithm, let sigmas):
      "\(algorithm.comfyUI) visits the model's own timesteps and cannot use the \(sigmas.comfyUI)"
        + " noise schedule; use it with another sampler, such as euler or dpmpp_2m"
    case .stepCount(let steps, let most):
      "cannot sample in \(steps) steps; use 1 to \(most)"
    case .epsilonAtZeroSNR(let algorithm):
      "\(algorithm.comfyUI) cannot start an epsilon model at zero signal-to-noise ratio;"
        + " use leading timestep spacing, or euler"
    case .notForFlow(let algorithm):
      "\(algorithm.comfyUI) cannot sample a flow model; use euler or heun"
    case .invalidConfig(let problem):
      "scheduler config: \(problem)"
    }
  }
}
