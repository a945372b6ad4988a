import ComputeCore

/// The factors of a file's adapters, wherever its dialect keeps them.
///
/// kohya and LyCORIS: `alpha / rank`, an alpha of 0 or none meaning the rank, and 1 where nothing
/// has a rank (LoKr of two whole matrices, differences). PEFT: from `adapter_config.json`.
/// diffusers: from the metadata, without which the scale is 1. Sources: kohya-ss/sd-scripts
/// `networks/lora.py`, `LoRAModule`; LyCORIS `modules/lokr.py`; peft `tuners/lora/layer.py`.
struct LoRAScales {
  private let file: LoRAFile
  private let configs: [LoRAComponent: AdapterConfig]

  /// Reads the settings that go with a file.
  ///
  /// - Throws: `LoRAError.invalidValue` or `.checkpoint`.
  init(_ file: LoRAFile) throws(LoRAError) {
    self.file = file
    var configs: [LoRAComponent: AdapterConfig] = [:]
    if file.dialect == .peft {
      let config = try AdapterConfig(beside: file.path)
      for component in LoRAComponent.allCases { configs[component] = config }
    } else if file.dialect == .diffusers {
      for component in LoRAComponent.allCases {
        configs[component] = try AdapterConfig(
          metadata: file.metadata, component: component, file: file.path)
      }
    }
    self.configs = configs
  }

  /// What `scale` is the multiple of `1 / rank` of; `nil` for adapters without a rank.
  ///
  /// - Throws: `LoRAError.invalidValue` when it is no finite number, or when settings and tensors
  ///   contradict each other.
  func alpha(of entry: LoRAEntry) throws(LoRAError) -> Float? {
    let stated = try statedAlpha(of: entry)
    guard let rank = try rank(of: entry) else { return nil }
    if let stated { return stated == 0 ? Float(rank) : stated }
    return configs[entry.component]?.alpha(of: entry.module, rank: rank) ?? Float(rank)
  }

  /// The number that is stored with the adapter; refused when damaged even if it has no effect.
  private func statedAlpha(of entry: LoRAEntry) throws(LoRAError) -> Float? {
    guard let key = entry.keys[.alpha] else { return nil }
    let alpha = try file.read(key)
    guard alpha.count == 1 else {
      throw .invalidValue(
        file: file.path, key: key, found: "\(alpha.shape)", expected: "one number")
    }
    return alpha.item
  }

  /// The factor of an adapter's change.
  func scale(of entry: LoRAEntry) throws(LoRAError) -> Float {
    guard let alpha = try alpha(of: entry), let rank = try rank(of: entry) else { return 1 }
    return alpha / Float(rank)
  }

  /// The rank by the tensors, or by the settings where the tensors show none.
  private func rank(of entry: LoRAEntry) throws(LoRAError) -> Int? {
    guard let config = configs[entry.component], entry.form != .difference, entry.form != .norm
    else { return file.rank(of: entry).flatMap { $0 > 0 ? $0 : nil } }
    let stated = config.rank(of: entry.module)
    guard let found = file.rank(of: entry) else { return stated }
    guard stated == nil || stated == found else {
      throw .invalidValue(
        file: file.path, key: entry.allKeys.first ?? entry.module, found: "of rank \(found)",
        expected: "\(stated ?? 0), as the settings say")
    }
    guard !config.usesMagnitudes || entry.hasMagnitude else {
      throw .invalidValue(
        file: file.path, key: entry.module, found: "without lora_magnitude_vector",
        expected: "one, as use_dora says")
    }
    return found > 0 ? found : nil
  }
}
