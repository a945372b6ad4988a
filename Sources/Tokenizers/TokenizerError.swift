/// Why a tokenizer could not be loaded.
public enum TokenizerError: Error, Equatable, CustomStringConvertible {
  /// The folder holds none of the files that could define the vocabulary.
  case noVocabulary(folder: String, expected: [String])

  /// The file exists or was expected, but could not be read.
  case unreadable(path: String, reason: String)

  /// The file was read but is not what its name promises.
  case malformed(path: String, reason: String)

  /// The vocabulary lacks a token that the tokenizer cannot work without.
  case missingToken(String, path: String)

  /// What was found, what was expected and what to do.
  public var description: String {
    switch self {
    case .noVocabulary(let folder, let expected):
      "no tokenizer in \(folder): expected \(expected.joined(separator: " or ")); "
        + "copy the tokenizer folder of the checkpoint there"
    case .unreadable(let path, let reason):
      "cannot read \(path): \(reason)"
    case .malformed(let path, let reason):
      "\(path) is not a usable tokenizer file: \(reason); fetch the file again"
    case .missingToken(let token, let path):
      "the vocabulary in \(path) has no token \"\(token)\"; "
        + "use the files that belong to the checkpoint's text encoder"
    }
  }
}
