import Diffusion

/// Why a picture's parameters do not say how to draw it again.
public enum MetadataError: Error, Equatable, CustomStringConvertible {
  /// There is no field of this name.
  case missing(field: String)
  /// A field has a value that makes no sense.
  case invalid(field: String, found: String, expected: String)
  /// The sampler or its noise schedule is none of ours.
  case sampler(SamplerError)
  /// A graph of ComfyUI cannot be followed.
  case graph(String)

  /// What was found and what was expected.
  public var description: String {
    switch self {
    case .missing(let field): "its parameters have no \"\(field)\""
    case .invalid(let field, let found, let expected):
      "\"\(field)\" of its parameters is \"\(found)\", expected \(expected)"
    case .sampler(let error): "\(error)"
    case .graph(let problem): "its ComfyUI graph cannot be followed: \(problem)"
    }
  }
}
