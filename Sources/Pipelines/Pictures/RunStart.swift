import ComputeCore
import Diffusion

/// What a sampling run begins from, and what is kept of a picture on the way.
///
/// Random numbers are drawn in the order of diffusers' pipelines: latents of the picture, noise,
/// latents of the masked picture. Source: `pipeline_stable_diffusion_img2img.py` and
/// `pipeline_stable_diffusion_inpaint.py`, `prepare_latents`, `prepare_mask_latents`.
struct RunStart {
  /// The first sample `[N, h, w, C]`.
  let sample: Tensor
  /// What a model for inpainting reads beside the sample `[N, h, w, 1 + C]`: the mask, and the
  /// latents of the picture without what the mask covers.
  let channels: Tensor?
  /// Puts the picture back where the mask keeps it, for models that do not read masks.
  let adjustment: Sampling.Adjustment?

  /// - Parameters:
  ///   - request: with or without a picture.
  ///   - run: its steps.
  ///   - shape: of the latents `[N, h, w, C]`.
  ///   - codec: makes latents of pictures.
  ///   - readsMasks: whether the model is one for inpainting.
  ///   - noise: the run's, which goes on with that of the steps.
  init(
    _ request: GenerationRequest, _ run: RunTimetable, _ shape: Shape,
    _ codec: any PictureCodec, readsMasks: Bool, _ noise: inout any NoiseSource
  ) {
    guard let initial = request.initial else {
      sample = run.visited.start(noise.noise(shape))
      (channels, adjustment) = (nil, nil)
      return
    }
    let (width, height) = (request.width, request.height)
    let pixels = initial.pixels(width: width, height: height)
    let mask = initial.maskPixels(width: width, height: height)
    func latents(of pixels: Tensor, _ noise: inout any NoiseSource) -> Tensor {
      RunStart.latents(of: pixels, count: shape[0], codec, request.likeness, &noise)
    }
    // A masked picture is not looked at when nothing of it is used; img2img always looks at it.
    let startsFromNoise = mask != nil && initial.strength == 1
    let picture = startsFromNoise && readsMasks ? nil : latents(of: pixels, &noise)
    let fresh = noise.noise(shape)
    if let picture, !startsFromNoise {
      sample = run.visited.start(from: picture, fresh)
    } else {
      sample = run.visited.start(fresh)
    }
    guard let mask else {
      (channels, adjustment) = (nil, nil)
      return
    }
    // Models that do not read masks have no use for these, but diffusers draws their numbers.
    let masked = latents(of: pixels * (1 - mask), &noise)
    let reduced = RunStart.reduced(mask, to: shape)
    if readsMasks {
      channels = concatenated([reduced, masked], axis: 3)
      adjustment = nil
    } else {
      channels = nil
      let isLikeDiffusers = request.likeness == .diffusers
      adjustment = picture.map { picture in
        { sample, level, target in
          // Within a step diffusers makes the picture as noisy as the sample is after it.
          let level = isLikeDiffusers ? target : level
          return RunStart.kept(sample, picture, fresh, at: level, where: reduced)
        }
      }
    }
  }

  /// Latents `[count, h, w, C]` of a picture `[1, H, W, 3]` or of as many: drawn at random, but not in
  /// ComfyUI.
  static func latents(
    of pixels: Tensor, count: Int, _ codec: any PictureCodec, _ likeness: Likeness,
    _ noise: inout any NoiseSource
  ) -> Tensor {
    let found =
      likeness == .comfyUI
      ? codec.encode(pixels) : codec.sample(pixels, count: count) { noise.noise($0) }
    let shape = [count] + found.shape.dropFirst()
    return found.shape[0] == count ? found : found + Tensor.zeros(shape)
  }

  /// Every so many pixels of a mask `[1, H, W, 1]`, as many as latents: `[N, h, w, 1]`.
  private static func reduced(_ mask: Tensor, to shape: Shape) -> Tensor {
    let (width, unit) = (mask.shape[2], mask.shape[2] / shape[2])
    let values = mask.values
    let rows = (0..<shape[1]).flatMap { y in
      (0..<shape[2]).map { x in values[y * unit * width + x * unit] }
    }
    return Tensor(
      Array(repeating: rows, count: shape[0]).flatMap(\.self), [shape[0], shape[1], shape[2], 1])
  }

  /// Samples where the mask is 1, the picture as noisy as they are where it is 0.
  private static func kept(
    _ sample: Tensor, _ picture: Tensor, _ noise: Tensor, at level: NoiseLevel?, where mask: Tensor
  ) -> Tensor {
    let kept = level.map { picture * $0.alpha + noise * $0.sigma } ?? picture
    return kept * (1 - mask) + sample * mask
  }
}
