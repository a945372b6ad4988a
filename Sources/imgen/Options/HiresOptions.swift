import ArgumentParser
import Pipelines

extension HiresPass.Upscaler: ExpressibleByArgument {}

/// A second pass at a larger size.
struct HiresOptions: ParsableArguments {
  @Option(
    name: .customLong("hires"),
    help: """
      Draw at --size, enlarge by this factor, and draw on at the larger size: AUTOMATIC1111's \
      "Hires. fix".
      """)
  var scale: Double?

  @Option(
    help: """
      Steps of the second pass, of which the part --hires-strength is done; with --like a1111 and \
      comfyui all are done, as there. Default: those of the first.
      """)
  var hiresSteps: Int?

  @Option(
    help: """
      How much the second pass draws anew, above 0 to 1 ("Denoising strength" in AUTOMATIC1111). \
      Default: 0.7.
      """)
  var hiresStrength: Double?

  @Option(
    help: """
      What enlarges: latent, or lanczos for the decoded picture. Default: latent, and lanczos for \
      models without an autoencoder.
      """)
  var hiresUpscaler: HiresPass.Upscaler?

  func validate() throws {
    guard scale != nil || (hiresSteps == nil && hiresStrength == nil && hiresUpscaler == nil) else {
      throw ValidationError(
        "--hires-steps, --hires-strength and --hires-upscaler need --hires, such as --hires 2.")
    }
    if let scale, !(scale > 1 && scale <= 8) {
      throw ValidationError("--hires is \(scale), expected above 1 up to 8, such as --hires 2.")
    }
    if let strength = hiresStrength, !(strength > 0 && strength <= 1) {
      throw ValidationError("--hires-strength is \(strength), expected above 0 up to 1.")
    }
  }

  /// The pass for a model, if one is wanted.
  func pass(for pipeline: TextToImagePipeline) -> HiresPass? {
    scale.map { scale in
      var pass = HiresPass(scale: scale, steps: hiresSteps)
      if let hiresStrength { pass.strength = hiresStrength }
      pass.upscaler = hiresUpscaler ?? (pipeline.codec.hasSmoothLatents ? .latent : .lanczos)
      return pass
    }
  }
}
