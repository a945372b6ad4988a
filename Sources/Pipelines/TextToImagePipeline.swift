import ComputeCore
import Diffusion
import ImageIO
import Models

/// Prompt → picture: text encoder, denoiser, sampler and picture codec put together.
public final class TextToImagePipeline {
  /// The denoiser.
  public let unet: UNet2DConditionModel
  /// Between pictures and what the denoiser works on.
  public let codec: any PictureCodec
  /// Between texts and what the denoiser reads.
  public let conditioner: any TextConditioner
  /// The noise the denoiser was trained with.
  public let scheduler: SchedulerConfig
  /// How the model is best sampled.
  public let defaults: GenerationDefaults
  /// Name of the model, for the pictures' metadata.
  public let name: String

  /// A pipeline of parts that fit; `load(folder:)` checks that they do.
  public init(
    unet: UNet2DConditionModel, codec: any PictureCodec, conditioner: any TextConditioner,
    scheduler: SchedulerConfig, defaults: GenerationDefaults, name: String
  ) {
    (self.unet, self.codec, self.conditioner) = (unet, codec, conditioner)
    (self.scheduler, self.defaults, self.name) = (scheduler, defaults, name)
  }

  /// Checks a request before any work is done.
  ///
  /// - Throws: `PipelineError.invalidRequest` or `.sampler`, saying what would do.
  public func validate(_ request: GenerationRequest) throws(PipelineError) {
    guard !request.prompts.isEmpty, request.prompts.count == request.seeds.count else {
      throw .invalidRequest(
        "\(request.prompts.count) prompts and \(request.seeds.count) seeds, expected one each "
          + "per picture")
    }
    try check(side: request.width, "width")
    try check(side: request.height, "height")
    guard unet.config.inChannels == codec.latentChannels else {
      throw .invalidRequest(
        "\(name) is a model for inpainting, which needs a picture and a mask; expected a model that "
          + "draws from words alone")
    }
    guard request.guidanceScale.isFinite, (0...50).contains(request.guidanceScale) else {
      throw .invalidRequest("the guidance is \(request.guidanceScale), expected 0 to 50")
    }
    guard (0...1).contains(request.guidanceRescale) else {
      throw .invalidRequest(
        "the rescaling of guidance is \(request.guidanceRescale), expected 0 to 1")
    }
    do throws(SamplerError) {
      _ = try Sampler(request.sampler, scheduler).timetable(steps: request.steps)
    } catch {
      throw .sampler(error)
    }
  }

  /// Refuses a side of a picture that the codec cannot make.
  ///
  /// - Throws: `PipelineError.invalidRequest` with the nearest size that would do.
  package func check(side size: Int, _ label: String) throws(PipelineError) {
    let unit = codec.pixelsPerLatent
    guard size > 0, size % unit == 0, size <= 4096 else {
      let wanted = (min(max(1, size), 4096) + unit / 2) / unit
      let nearest = min(4096 / unit, max(1, wanted)) * unit
      throw .invalidRequest(
        "the \(label) is \(size), expected a multiple of \(unit) up to 4096; try \(nearest)")
    }
  }

  /// A sampling run that has not begun: its steps hold latents, `pictures(_:)` decodes them.
  ///
  /// Noise is drawn per picture from its own seed, so a batch gives what its pictures give alone.
  public func sampling(_ request: GenerationRequest) throws(PipelineError) -> Sampling {
    try validate(request)
    do throws(SamplerError) {
      let sampler = try Sampler(request.sampler, scheduler)
      let timetable = try sampler.timetable(steps: request.steps)
      let unit = codec.pixelsPerLatent
      let shape = [
        request.seeds.count, request.height / unit, request.width / unit, codec.latentChannels,
      ]
      var noise = TorchNoise(seeds: request.seeds)
      let start = timetable.start(noise.noise(shape))
      let model = Compute.withoutRecording { guidedModel(request) }
      return sampler.sampling(timetable, from: start, noise: noise, model: model)
    } catch {
      throw .sampler(error)
    }
  }

  /// Latents `[N, h, w, c]` → N pictures.
  public func pictures(_ latents: Tensor) -> [Image] {
    Image.pictures(of: Compute.withoutRecording { codec.decode(latents) })
  }

  /// Runs a whole request.
  public func generate(_ request: GenerationRequest) throws(PipelineError) -> [Image] {
    var latents: Tensor?
    for step in try sampling(request) { latents = step.sample }
    return latents.map(pictures) ?? []
  }

  /// The denoiser with its texts bound, and guidance where the scale asks for it.
  private func guidedModel(_ request: GenerationRequest) -> Model {
    let unet = self.unet
    let count = request.prompts.count
    let positive = conditioner.encode(request.prompts)
    let (scale, rescale) = (request.guidanceScale, request.guidanceRescale)
    guard scale != 1 else {
      return { input, timestep in
        unet(
          input, timesteps: Array(repeating: timestep, count: count),
          encoderHiddenStates: positive.states, encoderAttentionMask: positive.mask)
      }
    }
    let negative = conditioner.encode(
      Array(repeating: request.negativePrompt, count: count))
    let both = Conditioning.joined(negative, positive)
    return { input, timestep in
      let output = unet(
        concatenated([input, input], axis: 0),
        timesteps: Array(repeating: timestep, count: 2 * count),
        encoderHiddenStates: both.states, encoderAttentionMask: both.mask)
      return guided(
        conditional: output.sliced(axis: 0, count..<2 * count),
        unconditional: output.sliced(axis: 0, 0..<count), scale: scale, rescale: rescale)
    }
  }
}
