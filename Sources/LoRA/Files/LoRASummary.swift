import Checkpoints

/// What can be said of a LoRA file without a model.
public struct LoRASummary: Sendable {
  /// Adapters of one kind in one component.
  public struct ModuleCount: Sendable, Equatable {
    /// The part of a pipeline.
    public let component: LoRAComponent
    /// Name of the kind of layers, `other` where the name tells nothing.
    public let kind: String
    /// How many.
    public let count: Int

    package init(component: LoRAComponent, kind: String, count: Int) {
      self.component = component
      self.kind = kind
      self.count = count
    }
  }

  /// The path of the file.
  public let path: String
  /// How the file names its tensors.
  public let dialect: LoRADialect
  /// All ranks that occur, ascending; empty for dialects that are recognised only.
  public let ranks: [Int]
  /// All alphas that occur, ascending; empty for dialects that are recognised only, and where the
  /// settings that PEFT keeps in a file of their own are missing.
  public let alphas: [Float]
  /// Adapters by component and kind.
  public let modules: [ModuleCount]
  /// Number of stored numbers, alphas excluded.
  public let parameterCount: Int
  /// Types that the matrices are stored as.
  public let dtypes: [SafetensorsDType]
  /// What it is called, if it says so.
  public let title: String?
  /// The model it was made for, if it says so.
  public let baseModel: String?
  /// All text of the file.
  public let metadata: [String: String]
  /// Whether the data has the hash that the file says it has; `nil` when it says none.
  public let isHashValid: Bool?

  /// What was recorded of the training, without values that were not set.
  public var training: [String: String] {
    metadata.filter { $0.key.hasPrefix("ss_") && $0.value != "None" }
  }
}

extension LoRASummary: CustomStringConvertible {
  /// Several lines for people.
  public var description: String {
    var lines = [
      "dialect     \(dialect.rawValue)\(dialect.isSupported ? "" : " (cannot be applied)")"
    ]
    if let title { lines.append("title       \(title)") }
    if !ranks.isEmpty {
      lines.append("rank        \(ranks.map(String.init).joined(separator: ", "))")
      lines.append("alpha       \(alphas.map { "\($0)" }.joined(separator: ", "))")
    }
    lines += modules.map { "modules     \($0.count) \($0.component.rawValue): \($0.kind)" }
    let types = dtypes.map(\.rawValue).joined(separator: ", ")
    lines.append("parameters  \(parameterCount) as \(types)")
    lines.append("base model  \(baseModel ?? "not said")")
    if let isHashValid { lines.append("hash        \(isHashValid ? "valid" : "does not match")") }
    lines += training.sorted { $0.key < $1.key }.map { "\($0.key)  \($0.value)" }
    return lines.joined(separator: "\n")
  }
}

extension LoRAFile {
  /// Describes a file of any dialect that is recognised.
  ///
  /// - Throws: `LoRAError` when it is no LoRA file or damaged.
  public static func inspect(_ path: String) throws(LoRAError) -> LoRASummary {
    let file = try LoRAFile(path)
    let matrices = file.entries.flatMap { entry in
      entry.keys.filter { $0.key != .alpha }.map(\.value) + entry.otherKeys
    }
    let metadata = file.metadata
    let isSupported = file.dialect.isSupported
    let ranks = file.entries.compactMap { file.shape(.down, of: $0).first }
    return LoRASummary(
      path: path, dialect: file.dialect, ranks: isSupported ? Set(ranks).sorted() : [],
      alphas: isSupported ? try file.statedAlphas() : [], modules: file.moduleCounts(),
      parameterCount: matrices.reduce(0) { $0 + (file.file.shape(of: $1) ?? []).reduce(1, *) },
      dtypes: Set(matrices.compactMap(file.file.dtype(of:))).sorted { $0.rawValue < $1.rawValue },
      title: metadata["modelspec.title"] ?? metadata["ss_output_name"],
      baseModel: metadata["ss_base_model_version"] ?? metadata["modelspec.architecture"],
      metadata: metadata, isHashValid: try file.hasStatedHash())
  }

  private func statedAlphas() throws(LoRAError) -> [Float] {
    do throws(LoRAError) {
      return Set(try alphas()).sorted()
    } catch .checkpoint(.unreadable) {
      return []
    }
  }

  private func moduleCounts() -> [LoRASummary.ModuleCount] {
    var counts: [LoRAComponent: [String: Int]] = [:]
    for entry in entries {
      let kind = LoRATargets(path: entry.module).names.first ?? "other"
      counts[entry.component, default: [:]][kind, default: 0] += 1
    }
    return LoRAComponent.allCases.flatMap { component in
      (counts[component] ?? [:]).sorted { $0.key < $1.key }.map {
        LoRASummary.ModuleCount(component: component, kind: $0.key, count: $0.value)
      }
    }
  }

  private func hasStatedHash() throws(LoRAError) -> Bool? {
    guard let stated = metadata["sshs_model_hash"] else { return nil }
    do throws(CheckpointError) {
      return try file.dataHash() == stated
    } catch { throw .checkpoint(error) }
  }
}
