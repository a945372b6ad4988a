/// The parts of a Stable Diffusion 1 or 2 checkpoint that is one file, in the names of the original
/// CompVis code; each map ignores the tensors of the other parts.
///
/// They hold for four levels with two residual blocks each. Source: diffusers
/// `loaders/single_file_utils.py`, whose results the tests compare with.
extension KeyMap {
  /// The U-Net, `model.diffusion_model.…`.
  public static let singleFileUNet = KeyMap("single-file U-Net") { key in
    guard let parts = components(of: key, after: "model.diffusion_model.") else { return nil }
    return unetKey(parts) ?? key
  }

  /// The VAE, `first_stage_model.…`, or a file that holds nothing but a VAE under bare names.
  public static let singleFileAutoencoder = KeyMap("single-file VAE") { key in
    if let parts = components(of: key, after: "first_stage_model.") {
      return autoencoderKey(parts) ?? key
    }
    let bare = key.split(separator: ".").map(String.init)
    let own = ["encoder", "decoder", "quant_conv", "post_quant_conv"]
    return bare.first.map(own.contains) == true ? autoencoderKey(bare) ?? key : nil
  }

  /// CLIP's text model, `cond_stage_model.transformer.…`.
  public static let singleFileClipText = KeyMap("single-file CLIP text model") { key in
    let prefix = "cond_stage_model.transformer."
    guard key.hasPrefix(prefix) else { return nil }
    return KeyMap.clipText(String(key.dropFirst(prefix.count)))
  }

  private static func components(of key: String, after prefix: String) -> [String]? {
    guard key.hasPrefix(prefix) else { return nil }
    return key.dropFirst(prefix.count).split(separator: ".").map(String.init)
  }

  private static func unetKey(_ parts: [String]) -> String? {
    let fixed = [
      "time_embed.0": "time_embedding.linear_1", "time_embed.2": "time_embedding.linear_2",
      "input_blocks.0.0": "conv_in", "middle_block.0": "mid_block.resnets.0",
      "middle_block.1": "mid_block.attentions.0", "middle_block.2": "mid_block.resnets.1",
      "out.0": "conv_norm_out", "out.2": "conv_out",
    ]
    for count in [2, 3] where parts.count > count {
      guard let place = fixed[parts[..<count].joined(separator: ".")] else { continue }
      return join(place, unetPart(Array(parts[count...])))
    }
    guard parts.count > 3, let block = Int(parts[1]), let slot = Int(parts[2]) else { return nil }
    let rest = Array(parts[3...])
    switch parts[0] {
    case "input_blocks":
      let (level, index) = ((block - 1) / 3, (block - 1) % 3)
      if rest[0] == "op" {
        return join("down_blocks.\(level).downsamplers.0.conv", Array(rest.dropFirst()))
      }
      let kind = slot == 0 ? "resnets" : "attentions"
      return join("down_blocks.\(level).\(kind).\(index)", unetPart(rest))
    case "output_blocks":
      let (level, index) = (block / 3, block % 3)
      if rest[0] == "conv" { return join("up_blocks.\(level).upsamplers.0", rest) }
      let kind = slot == 0 ? "resnets" : "attentions"
      return join("up_blocks.\(level).\(kind).\(index)", unetPart(rest))
    default: return nil
    }
  }

  /// Parts of a residual block; everything else keeps its names.
  private static func unetPart(_ parts: [String]) -> [String] {
    let names = [
      "in_layers.0": "norm1", "in_layers.2": "conv1", "emb_layers.1": "time_emb_proj",
      "out_layers.0": "norm2", "out_layers.3": "conv2",
    ]
    if parts.first == "skip_connection" { return ["conv_shortcut"] + parts.dropFirst() }
    guard parts.count > 2, let name = names[parts[..<2].joined(separator: ".")] else {
      return parts
    }
    return [name] + parts[2...]
  }

  private static func autoencoderKey(_ parts: [String]) -> String? {
    let names = [
      "nin_shortcut": "conv_shortcut", "norm_out": "conv_norm_out", "block_1": "resnets.0",
      "block_2": "resnets.1", "q": "to_q", "k": "to_k", "v": "to_v", "proj_out": "to_out.0",
      "mid": "mid_block", "attn_1": "attentions.0",
    ]
    var parts = parts
    if let norm = parts.firstIndex(of: "attn_1").map({ $0 + 1 }), norm < parts.count,
      parts[norm] == "norm"
    {
      parts[norm] = "group_norm"
    }
    guard parts.count > 4, parts[1] == "down" || parts[1] == "up" else {
      return parts.map { names[$0] ?? $0 }.joined(separator: ".")
    }
    guard let level = Int(parts[2]), level < 4 else { return nil }
    let place =
      parts[1] == "down" ? "\(parts[0]).down_blocks.\(level)" : "\(parts[0]).up_blocks.\(3 - level)"
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
