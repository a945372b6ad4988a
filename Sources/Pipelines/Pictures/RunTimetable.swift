import Diffusion

/// Which steps of a timetable a request takes.
///
/// Without a picture to begin from these are all. With one they are the last ones: in diffusers
/// `steps · strength`, rounded down; in AUTOMATIC1111's web UI one more than that, with a strength
/// below 1; in ComfyUI `steps` out of `steps / strength`.
/// Source: diffusers `pipeline_stable_diffusion_img2img.py`, `get_timesteps`; A1111
/// `sd_samplers_common.py`, `setup_img2img_steps`; ComfyUI `samplers.py`, `KSampler.set_steps`.
struct RunTimetable {
  /// The steps that are taken.
  let visited: Timetable
  /// What a Brownian path of noise spans.
  let spanned: Timetable

  /// - Throws: `SamplerError` when the sampler cannot take so many steps.
  init(_ request: GenerationRequest, _ sampler: Sampler) throws(SamplerError) {
    guard let strength = request.initial?.strength, strength < 1 || request.likeness.isA1111 else {
      spanned = try sampler.timetable(steps: request.steps)
      visited = spanned
      return
    }
    (spanned, visited) = try RunTimetable.last(of: request, sampler, strength: strength)
  }

  /// The steps of the second pass of a request, which has the size and steps of that pass.
  ///
  /// As for a picture to begin from, but the web UI does all steps that are asked for, as if its
  /// option for that in img2img was on.
  /// Source: `sd_samplers_common.py`, `setup_img2img_steps` with `steps`.
  ///
  /// - Throws: `SamplerError` when the sampler cannot take so many steps.
  init(
    _ request: GenerationRequest, _ sampler: Sampler, secondPass hires: HiresPass
  ) throws(SamplerError) {
    guard request.likeness.isA1111 else {
      (spanned, visited) = try RunTimetable.last(of: request, sampler, strength: hires.strength)
      return
    }
    let steps = try RunTimetable.laidOut(request.steps, min(hires.strength, 0.999), sampler)
    spanned = try sampler.timetable(steps: steps)
    visited = spanned.last(request.steps)
  }

  /// The steps that are done to a picture, and those that noise spans.
  private static func last(
    of request: GenerationRequest, _ sampler: Sampler, strength: Double
  ) throws(SamplerError) -> (spanned: Timetable, visited: Timetable) {
    switch request.likeness {
    case .diffusers:
      let all = try sampler.timetable(steps: request.steps)
      return (all, all.suffix(strength: strength))
    case .a1111, .a1111CPU:
      let all = try sampler.timetable(steps: request.steps)
      return (all, all.last(Int(min(strength, 0.999) * Double(request.steps)) + 1))
    case .comfyUI:
      let steps = try laidOut(request.steps, strength, sampler)
      let kept = try sampler.timetable(steps: steps).last(request.steps)
      return (kept, kept)
    }
  }

  /// `steps / strength`: how many there are when `steps` are the part `strength` of them.
  private static func laidOut(
    _ steps: Int, _ strength: Double, _ sampler: Sampler
  ) throws(SamplerError) -> Int {
    let all = Double(steps) / strength
    guard strength > 0, all < 1_000_000 else {
      throw .stepCount(.max, most: sampler.schedule.count)
    }
    return Int(all)
  }
}

extension Timetable {
  /// The last `count` steps of those that were asked for.
  fileprivate func last(_ count: Int) -> Timetable {
    // In the middle between two counts, which rounding cannot miss.
    suffix(strength: (Double(count) + 0.5) / Double(steps))
  }
}

extension Likeness {
  fileprivate var isA1111: Bool { self == .a1111 || self == .a1111CPU }
}
