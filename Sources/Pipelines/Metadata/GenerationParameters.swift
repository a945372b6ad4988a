import Diffusion

/// How a picture was made, as AUTOMATIC1111's web UI writes it into the `parameters` text of a PNG.
///
/// Source: `modules/processing.py`, `create_infotext`, and `modules/infotext_utils.py`. As there, a
/// prompt cannot have a line that begins with "Negative prompt:": what follows counts as that.
public struct GenerationParameters: Equatable, Sendable {
  /// The prompt; may have several lines.
  public var prompt: String
  /// What the picture should not be like; empty when there was nothing.
  public var negativePrompt: String
  /// `Steps`, `Sampler`, … with their values, in the order they are written.
  public var fields: [Field]

  /// One `name: value` pair.
  public struct Field: Equatable, Sendable {
    /// Such as `CFG scale`.
    public let name: String
    /// Its value, unquoted.
    public let value: String

    /// A pair.
    public init(_ name: String, _ value: String) {
      (self.name, self.value) = (name, value)
    }
  }

  /// Parameters with their fields in the order given.
  public init(prompt: String, negativePrompt: String, fields: [Field]) {
    (self.prompt, self.negativePrompt, self.fields) = (prompt, negativePrompt, fields)
  }

  /// The value of a field, or `nil`.
  public subscript(name: String) -> String? {
    fields.first { $0.name == name }?.value
  }

  /// The text: prompt, negative prompt, and one line of fields.
  public var text: String {
    var lines = [prompt]
    if !negativePrompt.isEmpty { lines.append("Negative prompt: " + negativePrompt) }
    if !fields.isEmpty {
      lines.append(fields.map { "\($0.name): \(quoted($0.value))" }.joined(separator: ", "))
    }
    return withPlainLineEnds(lines.joined(separator: "\n"))
  }

  /// Reads such a text; a last line with fewer than three fields counts as prompt.
  public init(parsing text: String) {
    var lines = withPlainLineEnds(text).split(separator: "\n", omittingEmptySubsequences: false)
      .map(String.init)
    fields = []
    if let last = lines.last {
      let found = GenerationParameters.fields(in: last)
      if found.count >= 3 {
        fields = found
        lines.removeLast()
      }
    }
    let marker = "Negative prompt:"
    let start = lines.firstIndex { $0.hasPrefix(marker) } ?? lines.endIndex
    prompt = lines[..<start].joined(separator: "\n")
    negativePrompt = lines[start...].enumerated().map { index, line in
      index == 0 ? String(line.dropFirst(marker.count).drop { $0 == " " }) : line
    }.joined(separator: "\n")
  }

  /// `name: value` pairs separated by commas; values with commas stand in quotes.
  private static func fields(in line: String) -> [Field] {
    var fields: [Field] = []
    var rest = Substring(line)
    while let colon = rest.firstIndex(of: ":") {
      let name = rest[..<colon].drop { $0 == " " }
      guard let first = name.first, first.isLetter || first.isNumber else { return fields }
      rest = rest[rest.index(after: colon)...].drop { $0 == " " }
      let value: String
      if rest.first == "\"" {
        (value, rest) = unquoted(rest)
      } else {
        let end = rest.firstIndex(of: ",") ?? rest.endIndex
        value = String(rest[..<end])
        rest = rest[end...]
      }
      fields.append(Field(String(name), value))
      guard rest.first == "," else { return fields }
      rest = rest.dropFirst()
    }
    return fields
  }

  /// Reads a quoted string from its opening quote on; returns it and what follows.
  private static func unquoted(_ text: Substring) -> (value: String, rest: Substring) {
    var value = ""
    var index = text.index(after: text.startIndex)
    while index < text.endIndex, text[index] != "\"" {
      if text[index] == "\\", text.index(after: index) < text.endIndex {
        index = text.index(after: index)
        value.append(escapes[text[index]] ?? text[index])
      } else {
        value.append(text[index])
      }
      index = text.index(after: index)
    }
    return (value, index < text.endIndex ? text[text.index(after: index)...] : text[index...])
  }

  /// What JSON writes as a backslash and a letter.
  private static let escapes: [Character: Character] = ["n": "\n", "t": "\t", "r": "\n"]

  private func quoted(_ value: String) -> String {
    guard value.contains(where: { ",:\n\"".contains($0) }) else { return value }
    let escaped = value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
      .replacing("\n", with: "\\n")
    return "\"\(escaped)\""
  }
}

extension GenerationParameters {
  /// The parameters of picture number `index` of a request.
  ///
  /// - Parameters:
  ///   - request: what was asked for.
  ///   - index: which picture.
  ///   - model: name of the model.
  ///   - modelHash: see `ModelHash`; `nil` when it is not known.
  ///   - origin: what else the picture depends on: files and settings that no request has.
  ///   - version: of this program.
  public init(
    _ request: GenerationRequest, index: Int, model: String, modelHash: String? = nil,
    origin: [Field] = [], version: String
  ) {
    var fields = [
      Field("Steps", "\(request.steps)"),
      Field("Sampler", request.sampler.algorithm.a1111),
    ]
    if request.sampler.sigmas != .normal {
      fields.append(Field("Schedule type", request.sampler.sigmas.a1111))
    }
    fields += [
      Field("CFG scale", shortest(request.guidanceScale)),
      Field("Seed", "\(request.seeds[index])"),
      Field("Size", "\(request.width)x\(request.height)"),
    ]
    if let modelHash { fields.append(Field("Model hash", modelHash)) }
    fields.append(Field("Model", model))
    if let strength = request.hires?.strength ?? request.initial?.strength {
      fields.append(Field("Denoising strength", shortest(Float(strength))))
    }
    if request.clipSkip > 1 { fields.append(Field("Clip skip", "\(request.clipSkip)")) }
    if request.guidanceRescale > 0 {
      fields.append(Field("Guidance rescale", shortest(request.guidanceRescale)))
    }
    if request.likeness != .diffusers { fields.append(Field("Like", request.likeness.rawValue)) }
    fields += origin
    fields.append(Field("RNG", request.likeness == .a1111 ? "NV" : "CPU"))
    fields += request.hires?.fields ?? []
    fields.append(Field("Version", version))
    self.init(
      prompt: request.prompts[index], negativePrompt: request.negativePrompt, fields: fields)
  }
}

/// 7.0 → "7", 7.5 → "7.5".
func shortest(_ value: Float) -> String {
  Int(exactly: value).map(String.init) ?? "\(value)"
}

/// Carriage returns, alone or before a line feed, as line feeds.
private func withPlainLineEnds(_ text: String) -> String {
  text.replacing("\r\n", with: "\n").replacing("\r", with: "\n")
}
