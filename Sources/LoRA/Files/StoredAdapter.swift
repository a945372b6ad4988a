import Checkpoints
import ComputeCore

/// An adapter on its way into a file, under names that are not decided yet.
struct StoredAdapter {
  let component: LoRAComponent
  /// Path of its layer, dotted, or flattened if it is to be written in kohya's dialect only.
  let path: String
  /// 0 for differences, which have none.
  let rank: Int
  let alpha: Float
  /// Whether its layer is a convolution.
  let isConvolution: Bool
  /// The tensors; each is told its name.
  var tensors: [LoRAKey.Part: (String) -> SafetensorsEntry] = [:]

  /// The name of one of its tensors; `nil` where a dialect has none.
  func key(of part: LoRAKey.Part, _ dialect: LoRAWriter.Dialect) -> String? {
    if dialect == .kohya {
      guard part != .upBias else { return nil }
      return "\(component.kohyaPrefix)\(LayerTable.flattened(path)).\(part.rawValue)"
    }
    let names: [LoRAKey.Part: String] = [
      .down: "lora_A.weight", .up: "lora_B.weight", .magnitude: "lora_magnitude_vector",
      .upBias: "lora_B.bias",
    ]
    guard let name = names[part] else { return nil }
    let prefix = dialect == .peft ? "base_model.model." : component.diffusersPrefix
    return "\(prefix)\(path).\(name)"
  }
}

extension SafetensorsFile {
  /// The type of a tensor's elements as one that can be written, `nil` for F64 and integers.
  func precision(of key: String) -> SafetensorsEntry.Precision? {
    switch dtype(of: key) {
    case .f32: .f32
    case .f16: .f16
    case .bf16: .bf16
    default: nil
    }
  }
}

extension LoRAFile {
  /// The most precise type that any of its matrices has.
  var precision: SafetensorsEntry.Precision {
    let kinds = Set(
      entries.flatMap { $0.keys.filter { $0.key != .alpha }.values }.map(file.precision(of:)))
    if kinds == [.f16] { return .f16 }
    return kinds == [.bf16] ? .bf16 : .f32
  }

  /// What its metadata says besides what depends on tensors and their names.
  var lastingMetadata: [String: String] {
    let derived = [
      "lora_adapter_metadata", "sshs_model_hash", "sshs_legacy_hash", "modelspec.hash_sha256",
      "ss_network_dim", "ss_network_alpha", "ss_network_args", "ss_network_module", "format",
    ]
    return metadata.filter { !derived.contains($0.key) }
  }
}
