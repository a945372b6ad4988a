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
  /// How many adapters state their changes in which form.
  public let forms: [LoRAForm: Int]
  /// How many of them keep lengths apart from directions (DoRA).
  public let magnitudeCount: Int
  /// All ranks that occur, ascending.
  public let ranks: [Int]
  /// All alphas that occur, ascending; empty where the settings that PEFT keeps in a file of their
  /// own are missing.
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
    var lines = ["dialect     \(dialect.rawValue)", "form        \(formNames)"]
    if let title { lines.append("title       \(title)") }
    if !ranks.isEmpty {
      lines.append("rank        \(ranks.map(String.init).joined(separator: ", "))")
      let alphas = alphas.map { "\($0)" }.joined(separator: ", ")
      lines.append("alpha       \(alphas.isEmpty ? "in adapter_config.json" : alphas)")
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

extension LoRASummary {
  /// "LoRA (192), norm differences (61), all with magnitudes (DoRA)".
  public var formNames: String {
    let known = LoRAForm.allCases.filter { forms[$0] != nil }
    let names =
      known.count == 1
      ? known.map(\.rawValue) : known.map { "\($0.rawValue) (\(forms[$0] ?? 0))" }
    let all = magnitudeCount == forms.values.reduce(0, +)
    let magnitudes = magnitudeCount == 0 ? [] : ["\(all ? "all" : "\(magnitudeCount)") DoRA"]
    return (names + magnitudes).joined(separator: ", ")
  }
}

extension LoRAFile {
  /// Describes a file.
  ///
  /// - Throws: `LoRAError` when it is no LoRA file or damaged.
  public static func inspect(_ path: String) throws(LoRAError) -> LoRASummary {
    let file = try LoRAFile(path)
    let tensors = file.entries.flatMap { $0.keys.filter { $0.key != .alpha }.map(\.value) }
    let metadata = file.metadata
    let forms = file.entries.reduce(into: [LoRAForm: Int]()) { $0[$1.form, default: 0] += 1 }
    return LoRASummary(
      path: path, dialect: file.dialect, forms: forms,
      magnitudeCount: file.entries.count(where: \.hasMagnitude),
      ranks: Set(file.entries.compactMap(file.rank(of:))).sorted(),
      alphas: try file.statedAlphas(), modules: file.moduleCounts(),
      parameterCount: tensors.reduce(0) { $0 + (file.file.shape(of: $1) ?? []).reduce(1, *) },
      dtypes: Set(tensors.compactMap(file.file.dtype(of:))).sorted { $0.rawValue < $1.rawValue },
      title: metadata["modelspec.title"] ?? metadata["ss_output_name"],
      baseModel: metadata["ss_base_model_version"] ?? metadata["modelspec.architecture"],
      metadata: metadata, isHashValid: try file.hasStatedHash())
  }

  private func statedAlphas() throws(LoRAError) -> [Float] {
    do throws(LoRAError) {
      let scales = try LoRAScales(self)
      var alphas: Set<Float> = []
      for entry in entries {
        if let alpha = try scales.alpha(of: entry) { alphas.insert(alpha) }
      }
      return alphas.sorted()
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
    return try dataHash() == stated
  }

  private func dataHash() throws(LoRAError) -> String {
    do throws(CheckpointError) { return try file.dataHash() } catch { throw .checkpoint(error) }
  }

  /// What AUTOMATIC1111's web UI writes as `Lora hashes`: twelve digits of the hash that the file
  /// states, or else of that of its tensors.
  ///
  /// Source: `extensions-builtin/Lora/network.py` there, `NetworkOnDisk`.
  ///
  /// - Returns: lower-case hex digits.
  /// - Throws: `LoRAError.checkpoint` when the file cannot be read.
  public func shortHash() throws(LoRAError) -> String {
    if let stated = metadata["sshs_model_hash"], !stated.isEmpty {
      return String(stated.prefix(12))
    }
    return String(try dataHash().prefix(12))
  }
}
