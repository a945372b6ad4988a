import ArgumentParser

/// A LoRA file with a weight: `style.safetensors:0.8`; the weight is 1 when left out.
struct LoRAArgument {
  let path: String
  let weight: Float

  /// Reads a file name with or without a weight.
  init(parsing argument: String) throws {
    guard let colon = argument.lastIndex(of: ":"),
      let weight = Float(argument[argument.index(after: colon)...]), weight.isFinite
    else {
      guard !argument.isEmpty else {
        throw ValidationError("expected a file, such as style.safetensors:0.8")
      }
      (path, self.weight) = (argument, 1)
      return
    }
    (path, self.weight) = (String(argument[..<colon]), weight)
  }
}
