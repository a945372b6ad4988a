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
  /// Reads `config.json` and the weights, from one file or an index of several, in full or half
  /// precision, of safetensors or of torch.
  ///
  /// - Parameters:
  ///   - folder: where they are.
  ///   - isFrozen: whether gradients by the weights are left out; they are then read on use.
  /// - Returns: the model with its weights.
  /// - Throws: `CheckpointError`, naming the file and what is wrong with it.
  public static func load(folder: String, isFrozen: Bool = false) throws(CheckpointError) -> Self {
    let config = try loadConfig(folder: folder)
    return try load(
      config, from: weights(folder: folder), settingsFrom: folder + "/config.json",
      isFrozen: isFrozen)
  }

  /// Opens the weights of a model's folder, which are not read yet.
  public static func weights(folder: String) throws(CheckpointError) -> any TensorSource {
    try WeightFiles.open(weightsName, in: folder)
  }

  /// Builds the model of a config and loads its weights.
  ///
  /// - Parameters:
  ///   - config: its settings.
  ///   - source: its weights, in any dialect that `keyMap` knows.
  ///   - path: the file that the config is from, for messages.
  ///   - isFrozen: whether gradients by the weights are left out; they are then read on use.
  /// - Returns: the model with its weights.
  /// - Throws: `CheckpointError`, naming the file and what is wrong with it.
  public static func load(
    _ config: Config, from source: any TensorSource, settingsFrom path: String,
    isFrozen: Bool = false
  ) throws(CheckpointError) -> Self {
    let model: Self
    do throws(ConfigError) {
      model = try Self(Self.config(config, adjustedTo: source.keys))
    } catch {
      throw .unsupported(
        file: path, key: error.key, found: error.found, expected: error.expected)
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
