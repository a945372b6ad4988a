/// A whole-number setting that is one number for all levels of a network or one for each.
public enum IntOrList: Codable, Sendable, Equatable {
  /// The same everywhere.
  case one(Int)
  /// One per level, outermost first.
  case list([Int])

  /// The number of the outermost level; 0 for an empty list.
  public var first: Int {
    switch self {
    case .one(let value): value
    case .list(let values): values.first ?? 0
    }
  }

  /// Decodes a number or a list of numbers.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if let value = try? container.decode(Int.self) {
      self = .one(value)
    } else {
      self = .list(try container.decode([Int].self))
    }
  }

  /// Encodes a number or a list of numbers.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .one(let value): try container.encode(value)
    case .list(let values): try container.encode(values)
    }
  }

  /// The largest number, or `nil` of an empty list.
  public var largest: Int? {
    switch self {
    case .one(let value): value
    case .list(let values): values.max()
    }
  }

  /// The number for each of `count` levels.
  ///
  /// - Parameters:
  ///   - key: name of the setting, for the error.
  ///   - count: number of levels.
  ///   - limit: the largest number that makes sense.
  /// - Returns: `count` numbers.
  /// - Throws: when the list has another length or holds numbers outside 1...limit.
  public func expanded(
    _ key: String, levels count: Int, limit: Int = 65_536
  ) throws(ConfigError) -> [Int] {
    let values =
      switch self {
      case .one(let value): [Int](repeating: value, count: count)
      case .list(let values): values
      }
    guard values.count == count, values.allSatisfy((1...limit).contains) else {
      throw ConfigError(key, found: "\(values)", expected: "\(count) numbers from 1 to \(limit)")
    }
    return values
  }
}
