import Checkpoints

/// Why adapters could not be attached, read or written; the text says what to do about it.
public enum LoRAError: Error, Equatable, CustomStringConvertible {
  /// A file cannot be read or written at all.
  case checkpoint(CheckpointError)
  /// Tensors of a file have names of no known dialect.
  case unrecognized(file: String, keys: [String])
  /// The file is of a known kind that does not allow what was asked for.
  case unsupported(file: String, kind: String, keys: [String])
  /// Modules of a file lack tensors or have such as do not go together; each says which.
  case incomplete(file: String, modules: [String])
  /// Tensors of a file are for layers that the model does not have, or have other sizes; each list
  /// is complete.
  case mismatch(file: String, unmatched: [String], wrongShapes: [String])
  /// A number or setting in a file that makes no sense.
  case invalidValue(file: String, key: String, found: String, expected: String)
  /// The model has no layer of the kinds asked for.
  case noTargets(LoRATargets)
  /// A rank, alpha or module that was asked for and cannot be.
  case invalidRequest(found: String, expected: String)

  /// The whole message, for people.
  public var description: String {
    switch self {
    case .checkpoint(let error): error.description
    case .unrecognized(let file, let keys):
      "\(file): \(LoRAError.list("tensor", keys)) with a name of no known LoRA dialect. "
        + "Nothing was loaded. Check that it is a LoRA file and not a whole model."
    case .unsupported(let file, let kind, let keys):
      "\(file): is \(kind), which does not allow this (\(LoRAError.list("tensor", keys))). "
        + "Nothing was done. Merge it into a model instead, or use another file."
    case .incomplete(let file, let modules):
      "\(file): \(LoRAError.list("module", modules)) with the wrong set of tensors. "
        + "Nothing was loaded. The file is damaged; download or export it again."
    case .mismatch(let file, let unmatched, let wrongShapes):
      "\(file): does not fit the model. "
        + [
          unmatched.isEmpty
            ? nil
            : "\(LoRAError.list("tensor", unmatched)) for layers that the model does not have.",
          wrongShapes.isEmpty ? nil : "\(LoRAError.list("tensor", wrongShapes)) of a wrong shape.",
        ].compactMap(\.self).joined(separator: " ")
        + " Nothing was loaded. Check which base model the LoRA was made for."
    case .invalidValue(let file, let key, let found, let expected):
      "\(file): \"\(key)\" is \(found), expected \(expected). The file is damaged; "
        + "download or export it again."
    case .noTargets(let targets):
      "The model has no layers of the kinds \(targets.names.joined(separator: ", ")). "
        + "Choose other targets."
    case .invalidRequest(let found, let expected): "Found \(found), expected \(expected)."
    }
  }

  /// "3 tensors: a; b; …", naming the first few.
  private static func list(_ what: String, _ items: [String]) -> String {
    let shown = items.prefix(5).joined(separator: "; ")
    return "\(items.count) \(what)\(items.count == 1 ? "" : "s") (\(shown)"
      + (items.count > 5 ? "; …)" : ")")
  }
}
