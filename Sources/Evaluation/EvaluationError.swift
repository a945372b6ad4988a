import Checkpoints
import ImageIO

/// Why pictures cannot be measured or classified.
public enum EvaluationError: Error, CustomStringConvertible {
  /// A model's file.
  case checkpoint(CheckpointError)
  /// A picture that could not be read or written.
  case image(ImageError)
  /// Too few pictures for a figure to mean anything.
  case tooFew(name: String, found: Int, needed: Int)
  /// Pictures of another kind than a network takes; both kinds in words.
  case wrongPictures(name: String, found: String, network: String, expected: String)
  /// Features that are not numbers, or of different networks.
  case wrongFeatures(String)
  /// Pictures without classes where classes are needed.
  case noLabels(name: String)
  /// Classes that are not the model's.
  case wrongClasses(name: String, found: [String], expected: [String])

  /// One line: what was found, what was expected, what to do.
  public var description: String {
    switch self {
    case .checkpoint(let error): "\(error)"
    case .image(let error): "\(error)"
    case .tooFew(let name, let found, let needed):
      "\(name): \(found) pictures, at least \(needed) are needed; add more"
    case .wrongPictures(let name, let found, let network, let expected):
      "\(name) has pictures of \(found), \(network) takes \(expected); "
        + "bring them to that size, or use another network"
    case .wrongFeatures(let text): text
    case .noLabels(let name):
      "\(name): the pictures have no classes; sort them into one folder per class"
    case .wrongClasses(let name, let found, let expected):
      "\(name) has the classes \(list(found)), the model knows \(list(expected)); "
        + "use the data the model was trained for"
    }
  }

  private func list(_ names: [String]) -> String {
    names.prefix(12).joined(separator: ", ") + (names.count > 12 ? ", …" : "")
  }
}
