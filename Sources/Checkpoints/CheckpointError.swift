/// Why a checkpoint could not be read, written or loaded; the text says what to do about it.
public enum CheckpointError: Error, Equatable, CustomStringConvertible {
  /// The system refused to open, read or list a file.
  case unreadable(file: String, reason: String)
  /// The system refused to write a file.
  case unwritable(file: String, reason: String)
  /// The file is not what its name promises, or is damaged.
  case malformed(file: String, found: String, expected: String)
  /// A tensor that was asked for is not in the file.
  case noSuchKey(file: String, key: String)
  /// A tensor exists but has another element type or size than was asked for.
  case wrongType(file: String, key: String, found: String, expected: String)
  /// The tensors of a file are not those of a model; each list is complete.
  case mismatch(
    file: String, missing: [String], unexpected: [String], wrongShapes: [ShapeMismatch])
  /// A setting of a model's config that this program cannot honour.
  case unsupported(file: String, key: String, found: String, expected: String)

  /// A tensor whose shape differs from that of the parameter it should fill.
  public struct ShapeMismatch: Equatable, Sendable {
    /// Key of the parameter.
    public let key: String
    /// Shape in the file.
    public let found: [Int]
    /// Shape of the parameter, in the file's layout.
    public let expected: [Int]
  }

  /// The whole message, for people.
  public var description: String {
    switch self {
    case .unreadable(let file, let reason):
      "\(file): cannot be read (\(reason)). Check the path and its permissions."
    case .unwritable(let file, let reason):
      "\(file): cannot be written (\(reason)). Check the folder, its permissions and free space."
    case .malformed(let file, let found, let expected):
      "\(file): found \(found), expected \(expected). The file is damaged or of another kind; "
        + "download or export it again."
    case .noSuchKey(let file, let key):
      "\(file): has no tensor \"\(key)\". Check that it is the file for this part of the model."
    case .wrongType(let file, let key, let found, let expected):
      "\(file): tensor \"\(key)\" holds \(found), expected \(expected)."
    case .mismatch(let file, let missing, let unexpected, let wrongShapes):
      CheckpointError.describeMismatch(file, missing, unexpected, wrongShapes)
    case .unsupported(let file, let key, let found, let expected):
      "\(file): \"\(key)\" is \(found); supported: \(expected). Use a model of a supported kind."
    }
  }

  private static func describeMismatch(
    _ file: String, _ missing: [String], _ unexpected: [String], _ wrongShapes: [ShapeMismatch]
  ) -> String {
    let shapes = wrongShapes.map { "\($0.key) is \($0.found), expected \($0.expected)" }
    let parts = [
      list("missing", missing), list("unexpected", unexpected), list("of the wrong shape", shapes),
    ]
    return "\(file): does not fit the model. " + parts.compactMap(\.self).joined(separator: " ")
      + " Nothing was loaded. Check that config.json and the weights belong together."
  }

  /// "3 tensors missing: a; b; …", naming the first few.
  private static func list(_ what: String, _ items: [String]) -> String? {
    guard !items.isEmpty else { return nil }
    let shown = items.prefix(5).joined(separator: "; ")
    let more = items.count > 5 ? "; …" : ""
    return "\(items.count) tensor\(items.count == 1 ? "" : "s") \(what): \(shown)\(more)."
  }
}
