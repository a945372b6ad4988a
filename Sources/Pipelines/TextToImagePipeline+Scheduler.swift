import Diffusion

extension TextToImagePipeline {
  /// The sampler of a request, with the scheduler config as the program that it is like reads it.
  func sampler(for request: GenerationRequest) throws(SamplerError) -> Sampler {
    let isCorrected = request.likeness == .diffusers && isStableDiffusion
    let config = isCorrected ? corrected(hasMask: request.initial?.mask != nil) : scheduler
    return try Sampler(request.sampler, config, like: request.likeness)
  }

  /// Whether diffusers has the model in a Stable Diffusion pipeline.
  private var isStableDiffusion: Bool {
    conditioner is CLIPConditioner && !(codec is SpaceToDepthCodec)
  }

  /// The config as diffusers' pipelines correct those of its first versions when they are loaded.
  ///
  /// Source: `pipeline_stable_diffusion.py`, `pipeline_stable_diffusion_img2img.py` and
  /// `pipeline_stable_diffusion_inpaint.py`, `__init__`.
  private func corrected(hasMask: Bool) -> SchedulerConfig {
    var config = scheduler
    config.stepsOffset = 1
    if hasMask {
      if config._className == "PNDMScheduler" { config.skipPrkSteps = true }
    } else {
      let clipsUnlessTold = ["DDIMScheduler", "DDPMScheduler"].contains(config._className)
      if config.clipSample ?? clipsUnlessTold { config.clipSample = false }
    }
    return config
  }
}
