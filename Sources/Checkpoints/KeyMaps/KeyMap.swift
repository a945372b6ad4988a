/// A dialect of a checkpoint: how the names in a file become the names of a model's parameters.
public struct KeyMap: Sendable {
  /// What the dialect is called, for messages.
  public let name: String
  private let convert: @Sendable (String) -> String?

  /// A dialect.
  ///
  /// - Parameters:
  ///   - name: what it is called.
  ///   - convert: key in the file → key of the parameter, or `nil` for a tensor to ignore.
  public init(_ name: String, _ convert: @escaping @Sendable (String) -> String?) {
    self.name = name
    self.convert = convert
  }

  /// The parameter's key for a key of the file, or `nil` for a tensor to ignore.
  public func callAsFunction(_ key: String) -> String? { convert(key) }

  /// Keys are the same on both sides.
  public static let identity = KeyMap("identity") { $0 }
}
