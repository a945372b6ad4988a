import Foundation

/// What the name of a tensor in a LoRA file says.
struct LoRAKey: Equatable {
  /// The tensor's place in its adapter, by kohya's and LyCORIS's name of it.
  enum Part: String, Hashable, Sendable, CaseIterable {
    case down = "lora_down.weight"
    case up = "lora_up.weight"
    /// The kernel of a Tucker decomposition.
    case mid = "lora_mid.weight"
    case alpha
    /// Lengths of the rows or columns of the changed weight (DoRA).
    case magnitude = "dora_scale"
    case upBias = "lora_B.bias"
    case hadaW1A = "hada_w1_a"
    case hadaW1B = "hada_w1_b"
    case hadaW2A = "hada_w2_a"
    case hadaW2B = "hada_w2_b"
    case hadaT1 = "hada_t1"
    case hadaT2 = "hada_t2"
    case lokrW1 = "lokr_w1"
    case lokrW1A = "lokr_w1_a"
    case lokrW1B = "lokr_w1_b"
    case lokrW2 = "lokr_w2"
    case lokrW2A = "lokr_w2_a"
    case lokrW2B = "lokr_w2_b"
    case lokrT2 = "lokr_t2"
    case diff
    case diffBias = "diff_b"
    case normWeight = "w_norm"
    case normBias = "b_norm"
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

  // diffusers writes the only text encoder of SD 1.x as the first of two; LyCORIS outside of
  // kohya's trainer has a prefix of its own.
  private static let kohyaPrefixes: [(prefix: String, component: LoRAComponent)] = [
    ("lora_unet_", .unet), ("lora_te_", .textEncoder), ("lora_te1_", .textEncoder),
    ("lora_te2_", .secondTextEncoder), ("lycoris_", .unet),
  ]

  private init?(kohya key: String) {
    guard let (prefix, component) = LoRAKey.kohyaPrefixes.first(where: { key.hasPrefix($0.prefix) })
    else { return nil }
    let parts = key.dropFirst(prefix.count).split(separator: ".", maxSplits: 1)
    guard parts.count == 2, let part = Part(rawValue: String(parts[1])), part != .upBias else {
      return nil
    }
    self.init(component, String(parts[0]), isFlattened: true, part, .kohya)
  }

  private static let dottedEndings: [(ending: String, part: Part, dialect: LoRADialect)] =
    [
      (".lora_A.weight", .down, .diffusers), (".lora_B.weight", .up, .diffusers),
      (".lora_A.default.weight", .down, .diffusers), (".lora_B.default.weight", .up, .diffusers),
      (".lora.down.weight", .down, .oldDiffusers), (".lora.up.weight", .up, .oldDiffusers),
      (".lora_linear_layer.down.weight", .down, .oldDiffusers),
      (".lora_linear_layer.up.weight", .up, .oldDiffusers),
      ("_lora.down.weight", .down, .oldDiffusers), ("_lora.up.weight", .up, .oldDiffusers),
      (".lora_magnitude_vector", .magnitude, .diffusers),
      (".lora_magnitude_vector.weight", .magnitude, .diffusers),
      (".lora_magnitude_vector.default.weight", .magnitude, .diffusers),
      (".dora_scale", .magnitude, .diffusers), (".lora_B.bias", .upBias, .diffusers),
    ]
    + Part.allCases.filter { $0.rawValue.hasPrefix("hada_") || $0.rawValue.hasPrefix("lokr_") }
    .map { (".\($0.rawValue)", $0, .diffusers) }

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

  /// `….attn1.processor.to_out` → `….attn1.to_out.0`, `….self_attn.to_q` → `….self_attn.q_proj`.
  private static func moduleOfProcessor(_ name: String) -> String? {
    let places: [(marker: String, names: [String: String])] = [
      (".processor.", ["to_q": "to_q", "to_k": "to_k", "to_v": "to_v", "to_out": "to_out.0"]),
      (
        ".self_attn.",
        [
          "to_q": "self_attn.q_proj", "to_k": "self_attn.k_proj", "to_v": "self_attn.v_proj",
          "to_out": "self_attn.out_proj",
        ]
      ),
    ]
    for (marker, names) in places {
      guard let range = name.range(of: marker),
        let projection = names[String(name[range.upperBound...])]
      else { continue }
      return "\(name[..<range.lowerBound]).\(projection)"
    }
    return nil
  }
}
