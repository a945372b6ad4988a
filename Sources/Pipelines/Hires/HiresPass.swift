/// A second pass over a picture that was drawn small: it is enlarged and drawn on at its new size,
/// which gives detail without the doubled figures of models that draw larger than they have learnt.
///
/// Source: "Hires. fix" of AUTOMATIC1111's web UI, `modules/processing.py`,
/// `StableDiffusionProcessingTxt2Img.sample_hr_pass`. Random numbers of the second pass begin anew
/// with each picture's seed.
public struct HiresPass: Equatable, Sendable {
  /// What enlarges the picture between the passes.
  public enum Upscaler: String, CaseIterable, Sendable {
    /// The latents, between their four nearest neighbours, without antialiasing: quick, and as soft
    /// as it is, it needs a strength of at least 0.5.
    case latent
    /// The decoded picture, with windowed sincs, as `--init` does with a picture.
    case lanczos

    /// Its name in the web UI.
    public var a1111: String { self == .latent ? "Latent" : "Lanczos" }
  }

  /// How much wider and higher the picture becomes, above 1 up to 8.
  public var scale: Double
  /// Steps of the second pass, those of the first when left out.
  ///
  /// As for a picture to begin from, the part `strength` of them is done with `Likeness.diffusers`;
  /// with the others all are done.
  public var steps: Int?
  /// How much of the enlarged picture is drawn anew, above 0 up to 1.
  public var strength: Double
  /// What enlarges the picture.
  public var upscaler: Upscaler

  /// The web UI's defaults, but for the scale.
  public init(
    scale: Double, steps: Int? = nil, strength: Double = 0.7, upscaler: Upscaler = .latent
  ) {
    (self.scale, self.steps) = (scale, steps)
    (self.strength, self.upscaler) = (strength, upscaler)
  }

  /// A side of the enlarged picture in pixels, rounded down to what a codec can make.
  func enlarged(_ side: Int, unit: Int) -> Int { Int(Double(side) * scale) / unit * unit }
}

extension GenerationRequest {
  /// What the second pass draws, without what it begins from; `nil` when there is none.
  ///
  /// - Parameter unit: pixels per latent.
  /// - Returns: a request of the larger size and the second pass's steps.
  package func secondPass(unit: Int) -> GenerationRequest? {
    guard let hires else { return nil }
    var request = self
    (request.hires, request.steps) = (nil, hires.steps ?? steps)
    request.width = hires.enlarged(width, unit: unit)
    request.height = hires.enlarged(height, unit: unit)
    return request
  }
}
