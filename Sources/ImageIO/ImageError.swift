/// Why a picture could not be read or written.
public struct ImageError: Error, Equatable, Hashable, Sendable, CustomStringConvertible {
  /// The kind of failure, for code that handles kinds differently.
  public enum Reason: Equatable, Hashable, Sendable {
    /// The file cannot be opened or read.
    case cannotRead
    /// The file cannot be written.
    case cannotWrite
    /// The bytes are of no known picture format.
    case notAnImage
    /// The bytes are a picture, of a format or kind that is not decoded here.
    case unsupportedFormat(ImageFormat)
    /// The bytes end before the picture does.
    case truncated
    /// The bytes contradict themselves.
    case corrupt
    /// A size limit is exceeded; see `ImageLimits`.
    case tooLarge
    /// A text entry cannot be stored in a PNG.
    case invalidText
  }

  /// The path or name of the picture.
  public let file: String
  /// The kind of failure.
  public let reason: Reason
  /// What was found, what was expected, what to do; no full stop at the end.
  public let detail: String

  /// Describes a failure of one file.
  public init(file: String, reason: Reason, detail: String) {
    self.file = file
    self.reason = reason
    self.detail = detail
  }

  /// One line: the file, the reason in words, the detail.
  public var description: String { "\(file): \(reason.words): \(detail)" }
}

extension ImageError.Reason {
  fileprivate var words: String {
    switch self {
    case .cannotRead: "cannot be read"
    case .cannotWrite: "cannot be written"
    case .notAnImage: "not a picture"
    case .unsupportedFormat: "unsupported format"
    case .truncated: "incomplete picture"
    case .corrupt: "damaged picture"
    case .tooLarge: "too large"
    case .invalidText: "invalid text entry"
    }
  }
}
