import Checkpoints
import ComputeCore
import Foundation
import Layers

/// Writes LoRA files.
public enum LoRAWriter {
  /// The ways of naming tensors that can be written.
  public enum Dialect: String, Sendable, CaseIterable {
    /// What most programs read.
    case kohya
    /// What diffusers itself writes.
    case diffusers
  }

  /// Writes networks, replacing an old file of that name only once the new one is complete.
  ///
  /// Strengths are not part of a file. The same networks and metadata give the same bytes.
  ///
  /// - Parameters:
  ///   - networks: at most one for each component.
  ///   - path: the file.
  ///   - dialect: how tensors are named.
  ///   - precision: of the matrices.
  ///   - metadata: what is known of how they came about.
  /// - Throws: `LoRAError.invalidValue` for weights that are not finite in that precision,
  ///   `.invalidRequest` or `.checkpoint`.
  public static func write(
    _ networks: [LoRANetwork], to path: String, as dialect: Dialect = .kohya,
    precision: SafetensorsEntry.Precision = .f16, metadata: LoRAMetadata = LoRAMetadata()
  ) throws(LoRAError) {
    guard !networks.isEmpty, Set(networks.map(\.component)).count == networks.count else {
      throw .invalidRequest(
        found: "\(networks.count) networks", expected: "one network for each component")
    }
    var entries: [SafetensorsEntry] = []
    for network in networks {
      for (layerPath, adapter) in network.namedAdapters {
        let names = names(layerPath, network.component, dialect)
        for (key, parameter) in [(names.down, adapter.down), (names.up, adapter.up)] {
          try check(parameter, fits: precision, key: key, path: path)
          entries.append(
            SafetensorsEntry(key, shape: parameter.checkpointShape, as: precision) {
              parameter.checkpointValue
            })
        }
        if let key = names.alpha { entries.append(alphaEntry(key, adapter.alpha, precision)) }
      }
    }
    var values = networkValues(networks, dialect: dialect)
    values.merge(metadata.values()) { $1 }
    let hash = SafetensorsWriter.dataHash(of: entries)
    values["sshs_model_hash"] = hash
    values["modelspec.hash_sha256"] = "0x" + hash
    do throws(CheckpointError) {
      try SafetensorsWriter.write(entries, metadata: values, to: path)
    } catch { throw .checkpoint(error) }
  }

  private static func names(
    _ path: String, _ component: LoRAComponent, _ dialect: Dialect
  ) -> (down: String, up: String, alpha: String?) {
    switch dialect {
    case .kohya:
      let name = component.kohyaPrefix + LayerTable.flattened(path)
      return ("\(name).lora_down.weight", "\(name).lora_up.weight", "\(name).alpha")
    case .diffusers:
      let name = component.diffusersPrefix + path
      return ("\(name).lora_A.weight", "\(name).lora_B.weight", nil)
    }
  }

  /// An alpha is stored like the matrices unless that would change it.
  private static func alphaEntry(
    _ key: String, _ alpha: Float, _ precision: SafetensorsEntry.Precision
  ) -> SafetensorsEntry {
    let isExact =
      switch precision {
      case .f32: true
      case .f16: Float(Float16(alpha)) == alpha
      case .bf16: alpha.bitPattern & 0xFFFF == 0
      }
    return SafetensorsEntry(key, Tensor(alpha), as: isExact ? precision : .f32)
  }

  private static func check(
    _ parameter: Parameter, fits precision: SafetensorsEntry.Precision, key: String, path: String
  ) throws(LoRAError) {
    let x = parameter.value
    // Half of the last step above the largest number still rounds down to it.
    let limit: Float = precision == .f16 ? 65_519 : .greatestFiniteMagnitude
    let isFit = UnsafeBufferPointer(start: x.pointer, count: x.count).allSatisfy {
      abs($0) <= limit
    }
    guard isFit else {
      throw .invalidValue(
        file: path, key: key, found: "partly too large or not a number",
        expected: "numbers that \(precision.rawValue) can hold")
    }
  }

  /// What follows from the adapters themselves.
  private static func networkValues(
    _ networks: [LoRANetwork], dialect: Dialect
  ) -> [String: String] {
    let adapters = networks.flatMap(\.namedAdapters).map(\.adapter)
    let ranks = Set(adapters.map(\.rank))
    let alphas = Set(adapters.map(\.alpha))
    var values = [
      "ss_network_dim": ranks.count == 1 ? ranks.map(\.description).joined() : "Dynamic",
      "ss_network_alpha": alphas.count == 1 ? alphas.map(\.description).joined() : "Dynamic",
    ]
    values["format"] = "pt"
    switch dialect {
    case .kohya:
      let convolutions = adapters.filter { $0.down.shape.count == 4 }
      var arguments: [String: String] = [:]
      if let first = convolutions.first {
        arguments = ["conv_dim": "\(first.rank)", "conv_alpha": "\(first.alpha)"]
      }
      values["ss_network_module"] = "networks.lora"
      values["ss_network_args"] = ConfigValue.object(arguments.mapValues(ConfigValue.string)).json
    case .diffusers:
      var settings: [String: ConfigValue] = [:]
      for network in networks {
        for (key, value) in AdapterConfig.settings(of: network) {
          settings[network.component.diffusersPrefix + key] = value
        }
      }
      values["lora_adapter_metadata"] = ConfigValue.object(settings).json
    }
    return values
  }
}

extension AdapterConfig {
  /// The settings with which peft makes adapters equal to those of a network.
  static func settings(of network: LoRANetwork) -> [String: ConfigValue] {
    let adapters = network.namedAdapters
    let rank = mostCommon(adapters.map(\.adapter.rank)) ?? 1
    let alpha = mostCommon(adapters.map(\.adapter.alpha)) ?? 1
    var (ranks, alphas): ([String: ConfigValue], [String: ConfigValue]) = ([:], [:])
    for (path, adapter) in adapters {
      if adapter.rank != rank { ranks[path] = .number(Double(adapter.rank)) }
      if adapter.alpha != alpha { alphas[path] = .number(Double(adapter.alpha)) }
    }
    return [
      "peft_type": .string("LORA"), "r": .number(Double(rank)),
      "lora_alpha": .number(Double(alpha)), "rank_pattern": .object(ranks),
      "alpha_pattern": .object(alphas), "lora_dropout": .number(0), "bias": .string("none"),
      "use_rslora": .boolean(false),
      "target_modules": .array(adapters.map { .string($0.path) }),
    ]
  }

  private static func mostCommon<T: Hashable & Comparable>(_ items: [T]) -> T? {
    let counts = items.reduce(into: [:]) { $0[$1, default: 0] += 1 }
    return counts.max { ($0.value, $1.key) < ($1.value, $0.key) }?.key
  }
}

extension ConfigValue {
  /// The value as JSON with sorted keys.
  fileprivate var json: String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    // Encoding fails for numbers that are not finite only, which adapters cannot have.
    return (try? encoder.encode(self)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
  }
}
