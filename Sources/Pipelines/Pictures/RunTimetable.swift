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
      visited = try sampler.timetable(steps: request.steps)
      spanned = visited
      return
    }
    switch request.likeness {
    case .diffusers:
      spanned = try sampler.timetable(steps: request.steps)
      visited = spanned.suffix(strength: strength)
    case .a1111, .a1111CPU:
      spanned = try sampler.timetable(steps: request.steps)
      let kept = Int(min(strength, 0.999) * Double(request.steps)) + 1
      visited = spanned.last(kept)
    case .comfyUI:
      let steps = Double(request.steps) / strength
      guard strength > 0, steps < 1_000_000 else {
        throw .stepCount(.max, most: sampler.schedule.count)
      }
      visited = try sampler.timetable(steps: Int(steps)).last(request.steps)
      spanned = visited
    }
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
