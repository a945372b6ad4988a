import ArgumentParser

/// A LoRA file with a weight: `style.safetensors:0.8`; the weight is 1 when left out.
struct LoRAArgument: ExpressibleByArgument {
  let path: String
  let weight: Float

  init?(argument: String) {
    guard let colon = argument.lastIndex(of: ":"),
      let weight = Float(argument[argument.index(after: colon)...]), weight.isFinite
    else {
      guard !argument.isEmpty else { return nil }
      (path, self.weight) = (argument, 1)
      return
    }
    (path, self.weight) = (String(argument[..<colon]), weight)
  }
}
