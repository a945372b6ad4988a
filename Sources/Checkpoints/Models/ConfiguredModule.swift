import Foundation
import Layers

/// A model that is built from a config and kept in a folder of its own.
public protocol ConfiguredModule: Module {
  /// Its settings, named as in `config.json` but in camel case; `init()` gives the defaults that
  /// hold for keys a file leaves out.
  associatedtype Config: ModelConfig

  /// The settings it was built from.
  var config: Config { get }

  /// Builds the model without values.
  ///
  /// - Throws: `ConfigError` when the settings do not go together.
  init(_ config: Config) throws(ConfigError)

  /// Name of its weight files without extension.
  static var weightsName: String { get }

  /// Dialects that its checkpoints come in.
  static var keyMap: KeyMap { get }

  /// The settings that go with a file of these keys, for parts that only some files have.
  static func config(_ config: Config, adjustedTo keys: [String]) -> Config
}

extension ConfiguredModule {
  /// The settings as they are.
  public static func config(_ config: Config, adjustedTo keys: [String]) -> Config { config }
}

/// Settings of a model as `config.json` holds them.
public protocol ModelConfig: Codable, Sendable {
  /// The reference implementation's defaults.
  init()

  /// Settings that this program knows in only some values: key in the file → values as JSON.
  static var supportedValues: [String: [String]] { get }

  /// What is written beside the settings so that the reference implementation knows the kind.
  static var identity: [String: ConfigValue] { get }
}

/// A setting that cannot be honoured.
public struct ConfigError: Error {
  /// Name of the setting in the file.
  public let key: String
  /// Its value.
  public let found: String
  /// What would do.
  public let expected: String

  /// A setting that cannot be honoured.
  public init(_ key: String, found: String, expected: String) {
    self.key = key
    self.found = found
    self.expected = expected
  }
}

extension ConfiguredModule {
  /// Builds the model that a folder describes and loads its weights.
  ///
  /// Reads `config.json` and the first of `<name>.safetensors`, `<name>.fp16.safetensors` and
  /// `<name>.safetensors.index.json` that exists.
  ///
  /// - Parameters:
  ///   - folder: where they are.
  ///   - isFrozen: whether gradients by the weights are left out; they are then read on use.
  /// - Returns: the model with its weights.
  /// - Throws: `CheckpointError`, naming the file and what is wrong with it.
  public static func load(folder: String, isFrozen: Bool = false) throws(CheckpointError) -> Self {
    let config = try loadConfig(folder: folder)
    for ending in [".safetensors", ".fp16.safetensors"] {
      let path = "\(folder)/\(weightsName)\(ending)"
      guard FileManager.default.fileExists(atPath: path) else { continue }
      return try load(
        config, from: SafetensorsFile(path), folder: folder, isFrozen: isFrozen)
    }
    let index = "\(folder)/\(weightsName).safetensors.index.json"
    guard FileManager.default.fileExists(atPath: index) else {
      throw .unreadable(
        file: "\(folder)/\(weightsName).safetensors",
        reason: "no such file, nor \(weightsName).fp16.safetensors nor an index; "
          + ".bin and .ckpt files can hold programs and are not read, convert them first")
    }
    return try load(
      config, from: ShardedSafetensors(index: index), folder: folder, isFrozen: isFrozen)
  }

  private static func load(
    _ config: Config, from source: some TensorSource, folder: String, isFrozen: Bool
  ) throws(CheckpointError) -> Self {
    let model: Self
    do throws(ConfigError) {
      model = try Self(Self.config(config, adjustedTo: source.keys))
    } catch {
      throw .unsupported(
        file: folder + "/config.json", key: error.key, found: error.found,
        expected: error.expected)
    }
    if isFrozen { model.freeze() }
    try model.load(from: source, keyMap: keyMap)
    return model
  }

  /// Reads and checks the `config.json` of a folder.
  public static func loadConfig(folder: String) throws(CheckpointError) -> Config {
    try ConfigFile.decode(Config.self, from: folder + "/config.json")
  }

  /// Writes `config.json` and the weights so that the reference implementation loads them.
  ///
  /// - Parameters:
  ///   - folder: is made when it does not exist.
  ///   - precision: of the weights; the file's name does not depend on it.
  /// - Throws: `CheckpointError.unwritable`.
  public func save(
    folder: String, as precision: SafetensorsEntry.Precision = .f32
  ) throws(CheckpointError) {
    do {
      try FileManager.default.createDirectory(
        atPath: folder, withIntermediateDirectories: true)
    } catch {
      throw .unwritable(file: folder, reason: "\(error.localizedDescription)")
    }
    try save(to: "\(folder)/\(Self.weightsName).safetensors", as: precision)
    try ConfigFile.encode(config, to: folder + "/config.json")
  }
}
