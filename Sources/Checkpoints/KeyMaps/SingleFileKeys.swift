/// The parts of a Stable Diffusion 1 or 2 checkpoint that is one file, in the names of the original
/// CompVis code; each map ignores the tensors of the other parts.
///
/// Source: diffusers `loaders/single_file_utils.py`, whose results the tests compare with.
extension KeyMap {
  /// The U-Net, `model.diffusion_model.…`.
  ///
  /// - Parameter layers: residual blocks of each level on the way down.
  /// - Returns: the map to diffusers' names.
  public static func singleFileUNet(layersPerBlock layers: Int = 2) -> KeyMap {
    KeyMap("single-file U-Net") { key in
      guard let parts = components(of: key, after: SingleFilePrefix.unet) else { return nil }
      return unetKey(parts, layers) ?? key
    }
  }

  /// The VAE, `first_stage_model.…`, or a file that holds nothing but a VAE under bare names.
  ///
  /// - Parameter levels: of the encoder; the decoder's are numbered the other way round.
  /// - Returns: the map to diffusers' names.
  public static func singleFileAutoencoder(levels: Int = 4) -> KeyMap {
    KeyMap("single-file VAE") { key in
      if let parts = components(of: key, after: SingleFilePrefix.autoencoder) {
        // The loss of its training and an average of weights are of no use.
        let isUseless = ["loss", "model_ema"].contains(parts.first)
        return isUseless ? nil : autoencoderKey(parts, levels) ?? key
      }
      let bare = key.split(separator: ".").map(String.init)
      let own = ["encoder", "decoder", "quant_conv", "post_quant_conv"]
      return bare.first.map(own.contains) == true ? autoencoderKey(bare, levels) ?? key : nil
    }
  }

  /// CLIP's text model, `cond_stage_model.transformer.…`.
  public static let singleFileClipText = KeyMap("single-file CLIP text model") { key in
    guard key.hasPrefix(SingleFilePrefix.clipText) else { return nil }
    return KeyMap.clipText(String(key.dropFirst(SingleFilePrefix.clipText.count)))
  }

  private static func components(of key: String, after prefix: String) -> [String]? {
    guard key.hasPrefix(prefix) else { return nil }
    return key.dropFirst(prefix.count).split(separator: ".").map(String.init)
  }

  private static func unetKey(_ parts: [String], _ layers: Int) -> String? {
    for count in [2, 3] where parts.count > count {
      guard let place = SingleFileNames.unetPlaces[parts[..<count].joined(separator: ".")] else {
        continue
      }
      return join(place, unetPart(Array(parts[count...])))
    }
    guard parts.count > 3, let block = Int(parts[1]), let slot = Int(parts[2]), block >= 0 else {
      return nil
    }
    let rest = Array(parts[3...])
    let kind = slot == 0 ? "resnets" : "attentions"
    switch parts[0] {
    case "input_blocks" where block > 0:
      let (level, index) = (block - 1).quotientAndRemainder(dividingBy: layers + 1)
      if rest[0] == "op" {
        return join("down_blocks.\(level).downsamplers.0.conv", Array(rest.dropFirst()))
      }
      return join("down_blocks.\(level).\(kind).\(index)", unetPart(rest))
    case "output_blocks":
      let (level, index) = block.quotientAndRemainder(dividingBy: layers + 1)
      if rest[0] == "conv" { return join("up_blocks.\(level).upsamplers.0", rest) }
      return join("up_blocks.\(level).\(kind).\(index)", unetPart(rest))
    default: return nil
    }
  }

  /// Parts of a residual block; everything else keeps its names.
  private static func unetPart(_ parts: [String]) -> [String] {
    if parts.first == "skip_connection" { return ["conv_shortcut"] + parts.dropFirst() }
    guard parts.count > 2,
      let name = SingleFileNames.resnetParts[parts[..<2].joined(separator: ".")]
    else { return parts }
    return [name] + parts[2...]
  }

  private static func autoencoderKey(_ parts: [String], _ levels: Int) -> String? {
    let names = SingleFileNames.autoencoderParts
    var parts = parts
    if let norm = parts.firstIndex(of: "attn_1").map({ $0 + 1 }), norm < parts.count,
      parts[norm] == "norm"
    {
      parts[norm] = "group_norm"
    }
    guard parts.count > 4, parts[1] == "down" || parts[1] == "up" else {
      return parts.map { names[$0] ?? $0 }.joined(separator: ".")
    }
    guard let level = Int(parts[2]), (0..<levels).contains(level) else { return nil }
    let place =
      parts[1] == "down"
      ? "\(parts[0]).down_blocks.\(level)" : "\(parts[0]).up_blocks.\(levels - 1 - level)"
    switch parts[3] {
    case "downsample": return join("\(place).downsamplers.0", Array(parts[4...]))
    case "upsample": return join("\(place).upsamplers.0", Array(parts[4...]))
    default:
      return join("\(place).resnets.\(parts[4])", parts[5...].map { names[$0] ?? $0 })
    }
  }

  private static func join(_ place: String, _ rest: [String]) -> String {
    ([place] + rest).joined(separator: ".")
  }
}

/// What the names of each part begin with.
enum SingleFilePrefix {
  static let unet = "model.diffusion_model."
  static let autoencoder = "first_stage_model."
  static let clipText = "cond_stage_model.transformer."
  static let openClip = "cond_stage_model.model."
}
