/// The other direction: diffusers' names to those of a single file.
enum SingleFileNames {
  /// Single-file place → diffusers' place, outside of the numbered blocks.
  static let unetPlaces = [
    "time_embed.0": "time_embedding.linear_1", "time_embed.2": "time_embedding.linear_2",
    "input_blocks.0.0": "conv_in", "middle_block.0": "mid_block.resnets.0",
    "middle_block.1": "mid_block.attentions.0", "middle_block.2": "mid_block.resnets.1",
    "out.0": "conv_norm_out", "out.2": "conv_out",
  ]
  /// Single-file part of a residual block of the U-Net → diffusers' part.
  static let resnetParts = [
    "in_layers.0": "norm1", "in_layers.2": "conv1", "emb_layers.1": "time_emb_proj",
    "out_layers.0": "norm2", "out_layers.3": "conv2",
  ]
  /// Single-file part of a VAE → diffusers' part.
  static let autoencoderParts = [
    "nin_shortcut": "conv_shortcut", "norm_out": "conv_norm_out", "block_1": "resnets.0",
    "block_2": "resnets.1", "q": "to_q", "k": "to_k", "v": "to_v", "proj_out": "to_out.0",
    "mid": "mid_block", "attn_1": "attentions.0",
  ]

  private static let placesOfUNet = inverted(unetPlaces)
  private static let partsOfResnet = inverted(resnetParts)

  /// The single-file name of a U-Net's tensor, `nil` when the format has no place for it.
  ///
  /// - Parameters:
  ///   - key: diffusers' name.
  ///   - layers: residual blocks of each level on the way down.
  ///   - hasAttention: whether the level on the way up of this number has any.
  /// - Returns: the name.
  static func unet(_ key: String, layersPerBlock layers: Int, hasAttention: (Int) -> Bool)
    -> String?
  {
    let parts = key.split(separator: ".").map(String.init)
    guard !parts.isEmpty else { return nil }
    for count in 1..<max(2, min(4, parts.count)) {
      guard let place = placesOfUNet[parts[..<count].joined(separator: ".")] else { continue }
      return SingleFilePrefix.unet + join(place, resnet(Array(parts[count...])))
    }
    guard parts.count > 4, let level = Int(parts[1]), let index = Int(parts[3]),
      (0..<100).contains(level), (0..<100).contains(index)
    else { return nil }
    let rest = Array(parts[4...])
    let first = level * (layers + 1)
    let name: String
    switch (parts[0], parts[2]) {
    case ("down_blocks", "resnets"):
      name = join("input_blocks.\(first + index + 1).0", resnet(rest))
    case ("down_blocks", "attentions"):
      name = join("input_blocks.\(first + index + 1).1", rest)
    case ("down_blocks", "downsamplers"):
      name = join("input_blocks.\(first + layers + 1).0.op", Array(rest.dropFirst()))
    case ("up_blocks", "resnets"): name = join("output_blocks.\(first + index).0", resnet(rest))
    case ("up_blocks", "attentions"): name = join("output_blocks.\(first + index).1", rest)
    case ("up_blocks", "upsamplers"):
      name = join("output_blocks.\(first + layers).\(hasAttention(level) ? 2 : 1)", rest)
    default: return nil
    }
    return SingleFilePrefix.unet + name
  }

  /// The single-file name of a VAE's tensor, `nil` when the format has no place for it.
  static func autoencoder(_ key: String, levels: Int) -> String? {
    let parts = key.split(separator: ".").map(String.init)
    guard parts.count > 1 else { return nil }
    if parts[0].hasSuffix("quant_conv") { return SingleFilePrefix.autoencoder + key }
    let name: String?
    switch parts[1] {
    case "down_blocks", "up_blocks": name = block(parts, levels)
    case "mid_block": name = middle(parts)
    case "conv_norm_out": name = join("\(parts[0]).norm_out", Array(parts[2...]))
    default: name = key
    }
    return name.map { SingleFilePrefix.autoencoder + $0 }
  }

  private static func block(_ parts: [String], _ levels: Int) -> String? {
    guard parts.count > 5, let level = Int(parts[2]), (0..<levels).contains(level) else {
      return nil
    }
    let isDown = parts[1] == "down_blocks"
    let place = "\(parts[0]).\(isDown ? "down.\(level)" : "up.\(levels - 1 - level)")"
    switch parts[3] {
    case "downsamplers": return join("\(place).downsample", Array(parts[5...]))
    case "upsamplers": return join("\(place).upsample", Array(parts[5...]))
    case "resnets":
      let rest = parts[5...].map { $0 == "conv_shortcut" ? "nin_shortcut" : $0 }
      return join("\(place).block.\(parts[4])", rest)
    default: return nil
    }
  }

  private static func middle(_ parts: [String]) -> String? {
    guard parts.count > 5, let index = Int(parts[3]), (0..<2).contains(index) else { return nil }
    let rest = Array(parts[4...])
    guard parts[2] == "attentions" else {
      return join("\(parts[0]).mid.block_\(index + 1)", rest)
    }
    let names = ["group_norm": "norm", "to_q": "q", "to_k": "k", "to_v": "v", "to_out": "proj_out"]
    guard let name = names[rest[0]] else { return nil }
    // The output projection is in a list, `to_out.0`.
    return join("\(parts[0]).mid.attn_1.\(name)", Array(rest.dropFirst(name == "proj_out" ? 2 : 1)))
  }

  /// Parts of a residual block; everything else keeps its names.
  private static func resnet(_ parts: [String]) -> [String] {
    guard let first = parts.first else { return parts }
    if first == "conv_shortcut" { return ["skip_connection"] + parts.dropFirst() }
    return [partsOfResnet[first] ?? first] + parts.dropFirst()
  }

  private static func join(_ place: String, _ rest: [String]) -> String {
    ([place] + rest).joined(separator: ".")
  }

  private static func inverted(_ names: [String: String]) -> [String: String] {
    Dictionary(names.map { ($1, $0) }) { first, _ in first }
  }
}
