import Foundation

/// Reads and writes `config.json` files.
package enum ConfigFile {
  private static let sizeLimit = 64 << 20

  /// Reads settings: keys that the file lacks take their defaults, keys nobody knows are ignored.
  ///
  /// - Throws: `CheckpointError.unsupported` for a known key with a value that cannot be honoured.
  package static func decode<Config: ModelConfig>(
    _ type: Config.Type, from path: String
  ) throws(CheckpointError) -> Config {
    let given = try object(in: path)
    for (key, supported) in Config.supportedValues.sorted(by: { $0.key < $1.key }) {
      guard let value = given[key], !supported.contains(value.description) else { continue }
      throw .unsupported(
        file: path, key: key, found: value.description,
        expected: supported.joined(separator: " or "))
    }
    do {
      return try merged(given, into: Config())
    } catch {
      throw unsupported(Config.self, given: given, path: path)
    }
  }

  /// Writes settings with sorted keys in snake case, and what identifies the kind of model.
  package static func encode<Config: ModelConfig>(
    _ config: Config, to path: String
  ) throws(CheckpointError) {
    let data: Data
    do {
      let settings = try snakeCased(config).merging(Config.identity) { $1 }
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
      data = try encoder.encode(settings)
    } catch {
      throw .unwritable(file: path, reason: "\(error)")
    }
    var file = try AtomicFile(replacing: path)
    try file.write(Array(data) + [0x0A])
    try file.commit()
  }

  /// All settings by their names in a file, in the order of no file.
  package static func settings(
    of config: some ModelConfig
  ) throws(CheckpointError) -> [String: ConfigValue] {
    do {
      return try snakeCased(config)
    } catch {
      throw .malformed(file: "config.json", found: "\(error)", expected: "settings of a model")
    }
  }

  /// The strings of an object inside a JSON file.
  static func stringMap(
    _ key: String, in path: String
  ) throws(CheckpointError) -> [String: String] {
    guard case .object(let members)? = try object(in: path)[key] else {
      throw .malformed(file: path, found: "no object \"\(key)\"", expected: "one")
    }
    var strings: [String: String] = [:]
    for (name, value) in members {
      guard case .string(let string) = value else {
        throw .malformed(file: path, found: "\"\(name)\": \(value)", expected: "a string")
      }
      strings[name] = string
    }
    return strings
  }

  private static func object(in path: String) throws(CheckpointError) -> [String: ConfigValue] {
    do {
      let attributes = try FileManager.default.attributesOfItem(atPath: path)
      guard let size = attributes[.size] as? Int, size <= sizeLimit else {
        throw CheckpointError.malformed(
          file: path, found: "a file of over \(sizeLimit) bytes", expected: "a JSON object")
      }
      let data = try Data(contentsOf: URL(fileURLWithPath: path))
      return try JSONDecoder().decode([String: ConfigValue].self, from: data)
    } catch let error as CheckpointError {
      throw error
    } catch is DecodingError {
      throw .malformed(file: path, found: "something else", expected: "a JSON object")
    } catch {
      throw .unreadable(file: path, reason: error.localizedDescription)
    }
  }

  private static func merged<Config: ModelConfig>(
    _ given: [String: ConfigValue], into defaults: Config
  ) throws -> Config {
    let complete = try snakeCased(defaults).merging(given) { $1 }
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return try decoder.decode(Config.self, from: JSONEncoder().encode(complete))
  }

  private static func snakeCased(_ config: some ModelConfig) throws -> [String: ConfigValue] {
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = .convertToSnakeCase
    return try JSONDecoder().decode([String: ConfigValue].self, from: encoder.encode(config))
  }

  /// Names the setting that has the wrong type: the first that fails alone.
  ///
  /// The decoder's own error cannot be used, as it has no path when a whole number has a fraction.
  private static func unsupported<Config: ModelConfig>(
    _ type: Config.Type, given: [String: ConfigValue], path: String
  ) -> CheckpointError {
    for (key, value) in given.sorted(by: { $0.key < $1.key }) {
      do {
        _ = try merged([key: value], into: Config())
      } catch {
        let usual = (try? snakeCased(Config()))?[key]
        return .unsupported(
          file: path, key: key, found: value.description,
          expected: usual.map { "a value of the kind of \($0)" } ?? "a value of another kind")
      }
    }
    return .malformed(file: path, found: "another structure", expected: "settings of a model")
  }
}
