/// How a model is best sampled when the user does not say: `generation_config.json` of its folder.
public struct GenerationDefaults: Codable, Equatable, Sendable {
  /// Steps of the sampler.
  public var steps: Int
  /// Classifier-free guidance; 1 is none.
  public var guidanceScale: Float
  /// Sampler in ComfyUI's spelling.
  public var sampler: String
  /// Width of a picture in pixels.
  public var width: Int
  /// Height of a picture in pixels.
  public var height: Int

  /// What Stable Diffusion 1 is used with.
  public static let stableDiffusion = GenerationDefaults(
    steps: 25, guidanceScale: 7.5, sampler: "dpmpp_2m", width: 512, height: 512)

  /// Defaults of a model.
  public init(steps: Int, guidanceScale: Float, sampler: String, width: Int, height: Int) {
    (self.steps, self.guidanceScale, self.sampler) = (steps, guidanceScale, sampler)
    (self.width, self.height) = (width, height)
  }

  /// What models without a `generation_config.json` are used with.
  ///
  /// - Parameters:
  ///   - name: of the model or its path; one with "turbo" was distilled to one step.
  ///   - side: of the pictures that it was trained on, 512 when it is not known.
  /// - Returns: the defaults.
  static func usual(name: String, side: Int?) -> GenerationDefaults {
    var defaults = stableDiffusion
    if isTurbo(name: name) {
      (defaults.steps, defaults.guidanceScale, defaults.sampler) = (1, 1, "euler")
    }
    if let side { (defaults.width, defaults.height) = (side, side) }
    return defaults
  }

  /// Whether the last component of a path says that a model was distilled to one step.
  static func isTurbo(name: String) -> Bool {
    name.split(separator: "/").last?.lowercased().contains("turbo") ?? false
  }
}
