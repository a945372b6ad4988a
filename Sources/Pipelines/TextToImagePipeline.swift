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
    guard !unet.config.isForInpainting || request.initial?.mask != nil else {
      throw .invalidRequest(
        "\(name) is a model for inpainting, which needs a picture and a mask; give both, or use a "
          + "model that draws from words alone")
    }
    if let hires = request.hires { try check(hires, of: request) }
    if let strength = request.initial?.strength {
      guard strength.isFinite, strength > 0, strength <= 1 else {
        throw .invalidRequest("the strength is \(strength), expected above 0 up to 1")
      }
    }
    guard request.guidanceScale.isFinite, (0...50).contains(request.guidanceScale) else {
      throw .invalidRequest("the guidance is \(request.guidanceScale), expected 0 to 50")
    }
    guard (0...1).contains(request.guidanceRescale) else {
      throw .invalidRequest(
        "the rescaling of guidance is \(request.guidanceRescale), expected 0 to 1")
    }
    guard (1...max(1, conditioner.layers)).contains(request.clipSkip) else {
      throw .invalidRequest(
        "the clip skip is \(request.clipSkip), expected 1 to \(max(1, conditioner.layers)), the "
          + "layers of the text encoder")
    }
    guard try stepCounts(request).allSatisfy({ $0 > 0 }) else {
      let strength = request.hires?.strength ?? request.initial?.strength ?? 1
      throw .invalidRequest(
        "a strength of \(strength) leaves none of \(request.hires?.steps ?? request.steps) steps; "
          + "use more of either")
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

  /// The size of a picture, rounded down to what the codec can make.
  package func fitting(_ picture: Image) -> (width: Int, height: Int) {
    let unit = codec.pixelsPerLatent
    func fitted(_ side: Int) -> Int { min(4096 / unit, max(1, side / unit)) * unit }
    return (fitted(picture.width), fitted(picture.height))
  }

  /// A sampling run that has not begun: its steps hold latents, `pictures(_:)` decodes them.
  ///
  /// It is the first pass of a request with two; `secondSampling` goes on from its last sample.
  /// Noise is drawn per picture from its own seed, so a batch gives what its pictures give alone;
  /// but with ComfyUI's rules it is drawn for the whole batch from the first seed.
  public func sampling(_ request: GenerationRequest) throws(PipelineError) -> Sampling {
    try validate(request)
    do throws(SamplerError) {
      let sampler = try sampler(for: request)
      let run = try RunTimetable(request, sampler)
      let unit = codec.pixelsPerLatent
      let shape = [
        request.seeds.count, request.height / unit, request.width / unit, codec.latentChannels,
      ]
      var noise = sampler.noise(seeds: request.seeds, run.spanned)
      return Compute.withoutRecording {
        let start = RunStart(
          request, run, shape, codec, readsMasks: unet.config.isForInpainting, &noise)
        return sampler.sampling(
          run.visited, from: start.sample, noise: noise, adjusting: start.adjustment,
          model: guidedModel(request, beside: start.channels))
      }
    } catch {
      throw .sampler(error)
    }
  }

  /// Latents `[N, h, w, c]` → N pictures.
  public func pictures(_ latents: Tensor) -> [Image] {
    pictures(latents) { _ in }
  }

  /// The same, telling how far it is where that takes long.
  public func pictures(_ latents: Tensor, progress: @escaping WorkProgress) -> [Image] {
    Image.pictures(of: Compute.withoutRecording { codec.decode(latents, progress: progress) })
  }

  /// About the pictures that a step of sampling is heading for, at their full size.
  ///
  /// - Parameter step: of `sampling(_:)` or `secondSampling(_:from:)`; its estimates of the clean
  ///   pictures are shown.
  /// - Returns: a picture for each of the batch; `nil` when the codec has no quick way to make one.
  public func previews(_ step: Step) -> [Image]? {
    let latents = step.denoised
    let unit = codec.pixelsPerLatent
    guard let colors = Compute.withoutRecording({ codec.preview(latents) }) else { return nil }
    return Image.pictures(of: colors).map {
      $0.resized(to: latents.shape[2] * unit, latents.shape[1] * unit, filter: .bilinear)
    }
  }

  /// Runs a whole request, both passes if it has two.
  ///
  /// - Parameters:
  ///   - request: what to draw.
  ///   - onStep: told every step that is done, and the number of its pass, 0 or 1.
  ///   - onDecoding: told the part of the decoding that is done, where that takes long.
  /// - Returns: a picture for each prompt.
  /// - Throws: `PipelineError` as `sampling(_:)` does.
  public func generate(
    _ request: GenerationRequest, onStep: (_ step: Step, _ pass: Int) -> Void = { _, _ in },
    onDecoding: @escaping WorkProgress = { _ in }
  ) throws(PipelineError) -> [Image] {
    var latents: Tensor?
    func run(_ sampling: Sampling, pass: Int) {
      for step in sampling {
        latents = step.sample
        onStep(step, pass)
      }
    }
    run(try sampling(request), pass: 0)
    if let small = latents, let second = try secondSampling(request, from: small) {
      run(second, pass: 1)
    }
    return latents.map { pictures($0, progress: onDecoding) } ?? []
  }

  /// The denoiser with its texts bound, and guidance where the scale asks for it.
  ///
  /// - Parameters:
  ///   - request: gives texts and guidance.
  ///   - channels: what the denoiser reads beside the sample `[N, h, w, …]`.
  /// - Returns: what a sampler evaluates.
  package func guidedModel(_ request: GenerationRequest, beside channels: Tensor?) -> Model {
    let unet = self.unet
    let count = request.prompts.count
    let positive = conditioner.encode(request.prompts, request.reading)
    let (scale, rescale) = (request.guidanceScale, request.guidanceRescale)
    func denoised(_ input: Tensor, _ timestep: Float, _ texts: Conditioning) -> Tensor {
      unet(
        input, timesteps: Array(repeating: timestep, count: input.shape[0]),
        encoderHiddenStates: texts.states, encoderAttentionMask: texts.mask)
    }
    func full(_ input: Tensor) -> Tensor {
      channels.map { concatenated([input, $0], axis: 3) } ?? input
    }
    guard request.isGuided else {
      return { input, timestep in denoised(full(input), timestep, positive) }
    }
    var reading = request.reading
    // diffusers' pipelines skip layers for the prompt only.
    if request.likeness == .diffusers { reading.clipSkip = 1 }
    let negative = conditioner.encode(
      Array(repeating: request.negativePrompt, count: count), reading)
    let both = Conditioning.joined(negative, positive)
    return { input, timestep in
      let input = full(input)
      let output = denoised(concatenated([input, input], axis: 0), timestep, both)
      return guided(
        conditional: output.sliced(axis: 0, count..<2 * count),
        unconditional: output.sliced(axis: 0, 0..<count), scale: scale, rescale: rescale)
    }
  }
}
