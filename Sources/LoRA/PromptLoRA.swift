/// A LoRA that a prompt asks for: `<lora:name:0.8>`.
///
/// As AUTOMATIC1111 reads it (`extensions-builtin/Lora/extra_networks_lora.py`): the first number
/// is for the text encoder, the second for the U-Net; `te=` and `unet=` name them and win. Without a
/// number the text encoder's weight is 1, and the U-Net's is the text encoder's.
public struct PromptLoRA: Sendable, Equatable {
  /// Name of the file without its extension.
  public let name: String
  /// Factor of the U-Net's adapters.
  public let weight: Float
  /// Factor of the text encoder's adapters.
  public let textWeight: Float

  /// A LoRA with its weights.
  public init(name: String, weight: Float = 1, textWeight: Float? = nil) {
    self.name = name
    self.weight = weight
    self.textWeight = textWeight ?? weight
  }

  /// Takes all tags out of a prompt.
  ///
  /// - Parameter prompt: the text; `<lora:` without an end or a name is left in it as it is.
  /// - Returns: the text without tags and the space in front of them, and the LoRAs in the order of
  ///   their tags.
  /// - Throws: `LoRAError.invalidRequest` for a tag with a weight that is no number.
  public static func extract(
    from prompt: String
  ) throws(LoRAError) -> (prompt: String, loras: [PromptLoRA]) {
    var loras: [PromptLoRA] = []
    var text = ""
    var rest = Substring(prompt)
    while let start = rest.firstRange(of: "<lora:") {
      let inner = rest[start.upperBound...]
      guard let end = inner.firstIndex(of: ">"),
        let lora = try PromptLoRA(parsing: inner[..<end])
      else {
        text += rest[..<start.upperBound]
        rest = inner
        continue
      }
      loras.append(lora)
      text += rest[..<start.lowerBound]
      rest = inner[inner.index(after: end)...]
      if text.last == " " || text.isEmpty, rest.first == " " { rest.removeFirst() }
    }
    text += rest
    while text.last == " " { text.removeLast() }
    return (text, loras)
  }

  /// Reads what stands between `<lora:` and `>`; `nil` when there is no name.
  private init?(parsing tag: Substring) throws(LoRAError) {
    let fields = tag.split(separator: ":", omittingEmptySubsequences: false)
    guard let name = fields.first.map(trimmed), !name.isEmpty, !name.contains("<") else {
      return nil
    }
    var (positional, unet, text): ([Float], Float?, Float?) = ([], nil, nil)
    for field in fields.dropFirst() {
      let parts = field.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let number = trimmed(parts.last ?? "")
      guard let value = Float(number), value.isFinite else {
        throw .invalidRequest(
          found: "<lora:\(tag)>", expected: "numbers, such as <lora:\(name):0.8>")
      }
      switch parts.count == 1 ? "" : trimmed(parts[0]) {
      case "": positional.append(value)
      case "unet": unet = value
      case "te": text = value
      default:
        throw .invalidRequest(
          found: "<lora:\(tag)>", expected: "weights named unet or te, or none")
      }
    }
    guard positional.count <= 2 else {
      throw .invalidRequest(found: "<lora:\(tag)>", expected: "one or two weights")
    }
    let textWeight = text ?? positional.first ?? 1
    self.init(
      name: name, weight: unet ?? positional.dropFirst().first ?? textWeight,
      textWeight: textWeight)
  }
}

/// Without spaces at both ends.
private func trimmed(_ text: Substring) -> String {
  String(text.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
}
