/// A whole-number setting that holds for every level of a network, or one number for each level.
public enum PerLevel: Codable, Sendable, Equatable {
  /// The same everywhere.
  case everywhere(Int)
  /// One per level, outermost first.
  case levels([Int])

  /// Decodes a number or a list of numbers.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if let value = try? container.decode(Int.self) {
      self = .everywhere(value)
    } else {
      self = .levels(try container.decode([Int].self))
    }
  }

  /// Encodes a number or a list of numbers.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .everywhere(let value): try container.encode(value)
    case .levels(let values): try container.encode(values)
    }
  }

  /// The number for each of `count` levels.
  ///
  /// - Throws: when the list has another length or holds numbers below 1.
  public func expanded(_ key: String, levels count: Int) throws(ConfigError) -> [Int] {
    let values =
      switch self {
      case .everywhere(let value): [Int](repeating: value, count: count)
      case .levels(let values): values
      }
    guard values.count == count, values.allSatisfy({ $0 > 0 }) else {
      throw ConfigError(key, found: "\(values)", expected: "\(count) numbers above 0")
    }
    return values
  }
}
