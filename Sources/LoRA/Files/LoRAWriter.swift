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
    /// What peft itself writes: adapters of one model, with `adapter_config.json` in the folder.
    case peft
  }

  /// Writes networks, replacing an old file of that name only once the new one is complete.
  ///
  /// Strengths are not part of a file. The same networks and metadata give the same bytes.
  ///
  /// - Parameters:
  ///   - networks: at most one for each component; one alone for `.peft`.
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
    var adapters: [StoredAdapter] = []
    for network in networks {
      for (layerPath, adapter) in network.namedAdapters {
        var stored = StoredAdapter(
          component: network.component, path: layerPath, rank: adapter.rank, alpha: adapter.alpha,
          isConvolution: adapter.down.shape.count == 4)
        for (part, parameter) in [(LoRAKey.Part.down, adapter.down), (.up, adapter.up)] {
          try check(parameter.value, fits: precision, key: "\(layerPath).\(part.rawValue)", path)
          stored.tensors[part] = { key in
            SafetensorsEntry(key, shape: parameter.checkpointShape, as: precision) {
              parameter.checkpointValue
            }
          }
        }
        adapters.append(stored)
      }
    }
    try write(
      adapters, to: path, as: dialect, alphaPrecision: precision, metadata: metadata.values())
  }

  /// Writes adapters with the metadata that follows from them and what is given, which wins.
  static func write(
    _ adapters: [StoredAdapter], to path: String, as dialect: Dialect,
    alphaPrecision: SafetensorsEntry.Precision, metadata: [String: String]
  ) throws(LoRAError) {
    guard dialect != .peft || Set(adapters.map(\.component)).count == 1 else {
      throw .invalidRequest(
        found: "adapters of several models", expected: "those of one, for peft")
    }
    var entries: [SafetensorsEntry] = []
    var paths: [String: String] = [:]
    for adapter in adapters {
      for (part, make) in adapter.tensors {
        guard let key = adapter.key(of: part, dialect) else {
          throw .invalidRequest(
            found: "\(part.rawValue) of \(adapter.path)",
            expected: "tensors that the dialect \(dialect.rawValue) has a name for")
        }
        if let other = paths.updateValue(adapter.path, forKey: key) {
          throw .invalidRequest(
            found: "the modules \(other) and \(adapter.path), which are both \"\(key)\"",
            expected: "modules with different names in the dialect \(dialect.rawValue)")
        }
        entries.append(make(key))
      }
      if dialect == .kohya, adapter.rank > 0, let key = adapter.key(of: .alpha, dialect) {
        entries.append(alphaEntry(key, adapter.alpha, alphaPrecision))
      }
    }
    var values = derivedValues(adapters, dialect: dialect)
    values.merge(metadata) { $1 }
    let hash = SafetensorsWriter.dataHash(of: entries)
    values["sshs_model_hash"] = hash
    values["modelspec.hash_sha256"] = "0x" + hash
    do throws(CheckpointError) {
      try SafetensorsWriter.write(entries, metadata: values, to: path)
      if dialect == .peft {
        let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? ""
        let json = ConfigValue.object(AdapterConfig.settings(of: adapters)).json + "\n"
        var file = try AtomicFile(replacing: folder + "adapter_config.json")
        try file.write(Array(json.utf8))
        try file.commit()
      }
    } catch { throw .checkpoint(error) }
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

  /// Refuses numbers that a precision cannot hold.
  static func check(
    _ x: Tensor, fits precision: SafetensorsEntry.Precision, key: String, _ path: String
  ) throws(LoRAError) {
    // Half of the last step above the largest number still rounds down to it.
    let limit: Float = precision == .f16 ? 65_519 : .greatestFiniteMagnitude
    let isFit = withExtendedLifetime(x) {
      UnsafeBufferPointer(start: x.pointer, count: x.count).allSatisfy { abs($0) <= limit }
    }
    guard isFit else {
      throw .invalidValue(
        file: path, key: key, found: "partly too large or not a number",
        expected: "numbers that \(precision.rawValue) can hold")
    }
  }

  /// What follows from the adapters themselves.
  private static func derivedValues(
    _ adapters: [StoredAdapter], dialect: Dialect
  ) -> [String: String] {
    let ranked = adapters.filter { $0.rank > 0 }
    let ranks = Set(ranked.map(\.rank))
    let alphas = Set(ranked.map(\.alpha))
    var values = [
      "ss_network_dim": ranks.count == 1 ? ranks.map(\.description).joined() : "Dynamic",
      "ss_network_alpha": alphas.count == 1 ? alphas.map(\.description).joined() : "Dynamic",
    ]
    values["format"] = "pt"
    switch dialect {
    case .kohya:
      var arguments: [String: String] = [:]
      if let first = ranked.first(where: \.isConvolution) {
        arguments = ["conv_dim": "\(first.rank)", "conv_alpha": "\(first.alpha)"]
      }
      values["ss_network_module"] = "networks.lora"
      values["ss_network_args"] = ConfigValue.object(arguments.mapValues(ConfigValue.string)).json
    case .diffusers:
      var settings: [String: ConfigValue] = [:]
      for component in Set(adapters.map(\.component)) {
        let own = adapters.filter { $0.component == component }
        for (key, value) in AdapterConfig.settings(of: own) {
          settings[component.diffusersPrefix + key] = value
        }
      }
      values["lora_adapter_metadata"] = ConfigValue.object(settings).json
    case .peft: break
    }
    return values
  }
}

extension AdapterConfig {
  /// The settings with which peft makes adapters equal to these, all of one model.
  static func settings(of adapters: [StoredAdapter]) -> [String: ConfigValue] {
    let rank = mostCommon(adapters.map(\.rank)) ?? 1
    let alpha = mostCommon(adapters.map(\.alpha)) ?? 1
    var (ranks, alphas): ([String: ConfigValue], [String: ConfigValue]) = ([:], [:])
    for adapter in adapters {
      if adapter.rank != rank { ranks[adapter.path] = .number(Double(adapter.rank)) }
      if adapter.alpha != alpha { alphas[adapter.path] = .number(Double(adapter.alpha)) }
    }
    return [
      "peft_type": .string("LORA"), "r": .number(Double(rank)),
      "lora_alpha": .number(Double(alpha)), "rank_pattern": .object(ranks),
      "alpha_pattern": .object(alphas), "lora_dropout": .number(0), "bias": .string("none"),
      "use_rslora": .boolean(false),
      "use_dora": .boolean(adapters.contains { $0.tensors[.magnitude] != nil }),
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
  var json: String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    // Encoding fails for numbers that are not finite only, which adapters cannot have.
    return (try? encoder.encode(self)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
  }
}
