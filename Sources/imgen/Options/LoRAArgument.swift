import ArgumentParser
import Foundation

/// A LoRA file with a weight: `style.safetensors:0.8`, and another one for the text encoder:
/// `style.safetensors:0.8:te=0.5`; the weight is 1 when left out.
struct LoRAArgument: Equatable {
  var path: String
  let weight: Float
  /// The text encoder's, which is `weight` when left out.
  let textWeight: Float

  /// A file with its weights.
  init(path: String, weight: Float, textWeight: Float) {
    (self.path, self.weight, self.textWeight) = (path, weight, textWeight)
  }

  /// What is read back as this, with the file's name only.
  var name: String {
    let text = textWeight == weight ? "" : ":te=\(textWeight)"
    return "\((path as NSString).lastPathComponent):\(weight)\(text)"
  }

  /// Reads a file name with or without weights.
  init(parsing argument: String) throws {
    var (rest, text): (Substring, Float?) = (argument[...], nil)
    if let range = rest.range(of: ":te=", options: .backwards) {
      guard let value = Float(rest[range.upperBound...]), value.isFinite else {
        throw ValidationError(
          "\(argument): expected a number after te=, such as style.safetensors:0.8:te=0.5")
      }
      (rest, text) = (rest[..<range.lowerBound], value)
    }
    var weight: Float = 1
    if let colon = rest.lastIndex(of: ":"), let value = Float(rest[rest.index(after: colon)...]),
      value.isFinite
    {
      (rest, weight) = (rest[..<colon], value)
    }
    guard !rest.isEmpty else {
      throw ValidationError("expected a file, such as style.safetensors:0.8")
    }
    (path, self.weight, textWeight) = (String(rest), weight, text ?? weight)
  }
}
