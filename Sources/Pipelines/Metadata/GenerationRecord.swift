import Diffusion

/// How a picture was made, as far as its file says, whoever wrote it.
public struct GenerationRecord: Equatable, Sendable {
  /// The program that wrote the file.
  public enum Author: String, Sendable, Encodable {
    /// This one.
    case imgen
    /// AUTOMATIC1111's web UI, or one that writes the same text.
    case a1111
    /// ComfyUI.
    case comfyUI = "comfyui"
  }

  /// Prompt and settings; those of ComfyUI under the names that the others use.
  public let parameters: GenerationParameters
  /// Who wrote them.
  public let author: Author
  /// What was done to the picture that cannot be done here, in the author's words.
  public let notReproduced: [String]

  /// Reads the texts of a PNG: `parameters`, or else ComfyUI's `prompt`; `nil` without either.
  ///
  /// - Parameter text: texts by their keywords.
  /// - Throws: `MetadataError.graph` when ComfyUI's graph cannot be followed.
  public init?(text: [String: String]) throws(MetadataError) {
    if let written = text["parameters"] {
      parameters = GenerationParameters(parsing: written)
      let isOwn = parameters["Version"]?.hasPrefix("imgen-") == true
      author = isOwn ? .imgen : .a1111
      notReproduced = parameters.fields.filter { !GenerationRecord.understood.contains($0.name) }
        .map { "\($0.name): \($0.value)" }
    } else if let graph = text["prompt"], graph.drop(while: \.isWhitespace).first == "{" {
      var reading = ComfyUIReading(try ComfyUIGraph(parsing: graph))
      parameters = try reading.parameters()
      author = .comfyUI
      notReproduced = reading.notes
    } else {
      return nil
    }
  }

  /// The value of a field, or `nil`.
  public subscript(name: String) -> String? { parameters[name] }

  /// The program whose random numbers, noise levels and rules for prompts the picture needs.
  ///
  /// A1111 leaves the source of random numbers out when it is a GPU, whose numbers are those of
  /// its source "NV".
  ///
  /// - Returns: one of ours.
  /// - Throws: `MetadataError.invalid` for a name that we do not know.
  public func likeness() throws(MetadataError) -> Likeness {
    switch author {
    case .comfyUI: return .comfyUI
    case .a1111: return self["RNG"] == "CPU" ? .a1111CPU : .a1111
    case .imgen:
      guard let name = self["Like"] else { return .diffusers }
      guard let likeness = Likeness(rawValue: name) else {
        let known = Likeness.allCases.map(\.rawValue).joined(separator: ", ")
        throw .invalid(field: "Like", found: name, expected: "one of \(known)")
      }
      return likeness
    }
  }

  /// Fields that decide a picture and are read, or that decide nothing.
  private static let understood: Set = [
    "Steps", "Sampler", "Schedule type", "CFG scale", "Seed", "Size", "Model hash", "Model",
    "Denoising strength", "Clip skip", "Guidance rescale", "Like", "RNG", "Version", "Precision",
    "LoRA", "Lora hashes", "VAE", "VAE hash", "Tokenizer", "Prediction", "Init picture",
    "Init picture hash", "Init image hash", "Mask", "Mask hash", "Hashes", "User",
    "Hires upscale", "Hires steps", "Hires upscaler",
  ]
}
