import ComputeCore
import Diffusion
import ImageIO

extension TextToImagePipeline {
  /// The second pass of a request with one, not begun yet; `pictures(_:)` decodes its samples.
  ///
  /// - Parameters:
  ///   - request: has `hires`.
  ///   - latents: what the first pass ended with, `[N, h, w, C]`.
  /// - Returns: the steps at the larger size; none of them when there is no second pass.
  /// - Throws: `PipelineError` as `sampling(_:)` does.
  public func secondSampling(
    _ request: GenerationRequest, from latents: Tensor
  ) throws(PipelineError) -> Sampling? {
    try validate(request)
    let unit = codec.pixelsPerLatent
    guard let hires = request.hires, let second = request.secondPass(unit: unit) else { return nil }
    do throws(SamplerError) {
      let sampler = try sampler(for: request)
      let run = try RunTimetable(second, sampler, secondPass: hires)
      var noise = sampler.noise(seeds: second.seeds, run.spanned)
      return Compute.withoutRecording {
        let enlarged = enlarged(latents, for: second, hires.upscaler, &noise)
        let fresh = noise.noise(enlarged.shape)
        return sampler.sampling(
          run.visited, from: run.visited.start(from: enlarged, fresh), noise: noise,
          model: guidedModel(second, beside: nil))
      }
    } catch {
      throw .sampler(error)
    }
  }

  /// How many steps each pass of a request takes.
  ///
  /// - Throws: `PipelineError.sampler` when the sampler cannot take so many.
  public func stepCounts(_ request: GenerationRequest) throws(PipelineError) -> [Int] {
    do throws(SamplerError) {
      let sampler = try sampler(for: request)
      let first = try RunTimetable(request, sampler)
      guard let hires = request.hires,
        let second = request.secondPass(unit: codec.pixelsPerLatent)
      else { return [first.visited.transitions.count] }
      let last = try RunTimetable(second, sampler, secondPass: hires)
      return [first.visited.transitions.count, last.visited.transitions.count]
    } catch {
      throw .sampler(error)
    }
  }

  /// Latents of the larger size `[N, h, w, C]`.
  private func enlarged(
    _ latents: Tensor, for request: GenerationRequest, _ upscaler: HiresPass.Upscaler,
    _ noise: inout any NoiseSource
  ) -> Tensor {
    let unit = codec.pixelsPerLatent
    let (width, height) = (request.width, request.height)
    guard upscaler == .lanczos else {
      return bilinearResized(latents, height: height / unit, width: width / unit)
    }
    let pictures = pictures(latents).map {
      Tensor($0.resized(to: width, height).floats(), [1, height, width, 3])
    }
    return RunStart.latents(
      of: concatenated(pictures, axis: 0), count: pictures.count, codec, request.likeness, &noise)
  }

  /// Refuses a second pass that cannot be made.
  ///
  /// - Throws: `PipelineError.invalidRequest`, saying what would do.
  func check(_ hires: HiresPass, of request: GenerationRequest) throws(PipelineError) {
    guard hires.scale.isFinite, hires.scale > 1, hires.scale <= 8 else {
      throw .invalidRequest(
        "the second pass enlarges by \(hires.scale), expected above 1 up to 8")
    }
    guard request.initial == nil else {
      throw .invalidRequest(
        "a second pass enlarges what was drawn from words alone; leave it out, or the picture to "
          + "begin from")
    }
    guard hires.strength.isFinite, hires.strength > 0, hires.strength <= 1 else {
      throw .invalidRequest(
        "the strength of the second pass is \(hires.strength), expected above 0 up to 1")
    }
    guard hires.upscaler != .latent || codec.hasSmoothLatents else {
      throw .invalidRequest(
        "the latents of \(name) are pixels side by side, which cannot be enlarged as such; use the "
          + "upscaler lanczos")
    }
    guard let second = request.secondPass(unit: codec.pixelsPerLatent) else { return }
    try check(side: second.width, "width after the second pass")
    try check(side: second.height, "height after the second pass")
  }
}
