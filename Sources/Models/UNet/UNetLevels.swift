import Checkpoints

/// What a U-Net's config says about one level.
struct UNetLevel {
  let channels: Int
  let resnets: Int
  let transformerLayers: Int
  let heads: Int
  let contextDim: Int
  let hasAttentionDown: Bool
  let hasAttentionUp: Bool
}

extension UNetConfig {
  /// All levels, outermost first.
  ///
  /// - Throws: `ConfigError` naming the setting that does not go with the others.
  func levels() throws(ConfigError) -> [UNetLevel] {
    let count = blockOutChannels.count
    try check("block_out_channels", "\(count) levels", (1...16).contains(count), "1 to 16")
    let down = try isAttentive(
      downBlockTypes, "down_block_types", plain: "DownBlock2D", cross: "CrossAttnDownBlock2D")
    let up = try isAttentive(
      upBlockTypes, "up_block_types", plain: "UpBlock2D", cross: "CrossAttnUpBlock2D")
    let resnets = try layersPerBlock.expanded("layers_per_block", levels: count, limit: 64)
    let layers = try transformerLayersPerBlock.expanded(
      "transformer_layers_per_block", levels: count, limit: 64)
    let heads = try attentionHeadDim.expanded("attention_head_dim", levels: count)
    try checkSizes()
    let levels = blockOutChannels.indices.map { i in
      UNetLevel(
        channels: blockOutChannels[i], resnets: resnets[i], transformerLayers: layers[i],
        heads: heads[i], contextDim: crossAttentionDim, hasAttentionDown: down[i],
        hasAttentionUp: up[count - 1 - i])
    }
    for (i, level) in levels.enumerated() {
      let hasAttention =
        level.hasAttentionDown || level.hasAttentionUp || (i == count - 1 && hasMidAttention)
      try check(
        "attention_head_dim", "\(level.heads)",
        !hasAttention || level.channels % level.heads == 0,
        "a divisor of the \(level.channels) channels of level \(i)")
    }
    return levels
  }

  var hasMidAttention: Bool { midBlockType == "UNetMidBlock2DCrossAttn" }

  private func checkSizes() throws(ConfigError) {
    let range = 1...65_536
    for (key, value) in [
      ("in_channels", inChannels), ("out_channels", outChannels),
      ("norm_num_groups", normNumGroups), ("cross_attention_dim", crossAttentionDim),
    ] {
      try check(key, "\(value)", range.contains(value), "1 to 65536")
    }
    try check(
      "block_out_channels", "\(blockOutChannels)",
      blockOutChannels.allSatisfy { range.contains($0) && $0 % normNumGroups == 0 },
      "multiples of norm_num_groups (\(normNumGroups)) up to 65536")
    try check(
      "downsample_padding", "\(downsamplePadding)", (0...1).contains(downsamplePadding), "0 or 1")
    try check("freq_shift", "\(freqShift)", (0...1).contains(freqShift), "0 or 1")
    try check("norm_eps", "\(normEps)", normEps >= 0 && normEps < 1, "0 or more, below 1")
  }

  private func isAttentive(
    _ types: [String], _ key: String, plain: String, cross: String
  ) throws(ConfigError) -> [Bool] {
    for type in types {
      try check(key, type, type == plain || type == cross, "\(plain) or \(cross)")
    }
    try check(
      key, "\(types.count) blocks", types.count == blockOutChannels.count,
      "\(blockOutChannels.count), as in block_out_channels")
    return types.map { $0 == cross }
  }

  private func check(
    _ key: String, _ found: String, _ isGood: Bool, _ expected: String
  ) throws(ConfigError) {
    if !isGood { throw ConfigError(key, found: found, expected: expected) }
  }
}
