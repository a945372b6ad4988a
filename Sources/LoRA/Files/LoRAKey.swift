import Foundation

/// What the name of a tensor in a LoRA file says.
struct LoRAKey: Equatable {
  /// The tensor's place in its adapter.
  enum Part: Hashable {
    case down
    case up
    case alpha
    /// Something of a dialect that is recognised only.
    case other
  }

  let component: LoRAComponent
  /// Path of the layer, dotted or flattened.
  let module: String
  let isFlattened: Bool
  let part: Part
  /// `nil` where the name goes with several dialects.
  let dialect: LoRADialect?

  /// Reads a name; `nil` when no dialect has such names.
  init?(_ key: String) {
    if let kohya = LoRAKey(kohya: key) {
      self = kohya
    } else if let dotted = LoRAKey(dotted: key) {
      self = dotted
    } else {
      return nil
    }
  }

  private init(
    _ component: LoRAComponent, _ module: String, isFlattened: Bool, _ part: Part,
    _ dialect: LoRADialect?
  ) {
    self.component = component
    self.module = module
    self.isFlattened = isFlattened
    self.part = part
    self.dialect = dialect
  }

  // diffusers writes the only text encoder of SD 1.x as the first of two.
  private static let kohyaPrefixes: [(prefix: String, component: LoRAComponent)] = [
    ("lora_unet_", .unet), ("lora_te_", .textEncoder), ("lora_te1_", .textEncoder),
    ("lora_te2_", .secondTextEncoder),
  ]

  private static let kohyaParts: [String: (part: Part, dialect: LoRADialect)] = [
    "lora_down.weight": (.down, .kohya), "lora_up.weight": (.up, .kohya), "alpha": (.alpha, .kohya),
    "lora_mid.weight": (.other, .tucker), "dora_scale": (.other, .dora),
    "diff": (.other, .difference), "diff_b": (.other, .difference),
  ]

  private init?(kohya key: String) {
    for (prefix, component) in LoRAKey.kohyaPrefixes where key.hasPrefix(prefix) {
      let parts = key.dropFirst(prefix.count).split(separator: ".", maxSplits: 1)
      guard parts.count == 2 else { return nil }
      let (module, suffix) = (String(parts[0]), String(parts[1]))
      if let (part, dialect) = LoRAKey.kohyaParts[suffix] {
        self.init(component, module, isFlattened: true, part, dialect)
      } else if suffix.hasPrefix("hada_") {
        self.init(component, module, isFlattened: true, .other, .loha)
      } else if suffix.hasPrefix("lokr_") {
        self.init(component, module, isFlattened: true, .other, .lokr)
      } else {
        return nil
      }
      return
    }
    return nil
  }

  private static let dottedEndings: [(ending: String, part: Part, dialect: LoRADialect)] = [
    (".lora_A.weight", .down, .diffusers), (".lora_B.weight", .up, .diffusers),
    (".lora_A.default.weight", .down, .diffusers), (".lora_B.default.weight", .up, .diffusers),
    (".lora.down.weight", .down, .oldDiffusers), (".lora.up.weight", .up, .oldDiffusers),
    (".lora_linear_layer.down.weight", .down, .oldDiffusers),
    (".lora_linear_layer.up.weight", .up, .oldDiffusers),
    ("_lora.down.weight", .down, .oldDiffusers), ("_lora.up.weight", .up, .oldDiffusers),
    (".lora_magnitude_vector", .other, .dora), (".lora_magnitude_vector.weight", .other, .dora),
    (".lora_B.bias", .other, .biased),
  ]

  private init?(dotted key: String) {
    let (component, path, isPEFT) = LoRAKey.component(of: key)
    for (ending, part, dialect) in LoRAKey.dottedEndings where path.hasSuffix(ending) {
      var module = String(path.dropLast(ending.count))
      if ending.hasPrefix("_") {
        guard let processed = LoRAKey.moduleOfProcessor(module) else { return nil }
        module = processed
      }
      self.init(
        component, module, isFlattened: false, part,
        isPEFT && dialect == .diffusers ? .peft : dialect)
      return
    }
    for ending in [".lora.alpha", ".alpha"] where path.hasSuffix(ending) {
      self.init(
        component, String(path.dropLast(ending.count)), isFlattened: false, .alpha, nil)
      return
    }
    return nil
  }

  /// Splits off what says which model a dotted key is for; none means the U-Net.
  private static func component(
    of key: String
  ) -> (component: LoRAComponent, path: Substring, isPEFT: Bool) {
    for component in LoRAComponent.allCases where key.hasPrefix(component.diffusersPrefix) {
      return (component, key.dropFirst(component.diffusersPrefix.count), false)
    }
    let native = "base_model.model."
    guard key.hasPrefix(native) else { return (.unet, key[...], false) }
    let path = key.dropFirst(native.count)
    let isText = ["text_model.", "encoder.layers."].contains(where: path.hasPrefix)
    return (isText ? .textEncoder : .unet, path, true)
  }

  /// `….attn1.processor.to_out` → `….attn1.to_out.0`.
  private static func moduleOfProcessor(_ name: String) -> String? {
    guard let range = name.range(of: ".processor.") else { return nil }
    let projection = name[range.upperBound...]
    guard ["to_q", "to_k", "to_v", "to_out"].contains(projection) else { return nil }
    return "\(name[..<range.lowerBound]).\(projection)" + (projection == "to_out" ? ".0" : "")
  }
}
