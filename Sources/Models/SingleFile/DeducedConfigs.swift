import Checkpoints
import ComputeCore

/// Settings that follow from the shapes of a checkpoint without any config.
///
/// What shapes do not tell, such as the number of heads, is that of every released model of the
/// kind. Source: the configs of runwayml/stable-diffusion-v1-5 and stabilityai/stable-diffusion-2.
extension UNetConfig {
  /// The settings of a U-Net of Stable Diffusion 1 or 2.
  ///
  /// - Parameter source: its weights in diffusers' names.
  /// - Throws: `CheckpointError.noSuchKey` when a tensor that tells is missing.
  public init(deducedFrom source: any TensorSource) throws(CheckpointError) {
    self.init()
    let keys = source.keys
    let entry = try source.length("conv_in.weight")
    inChannels = try source.length("conv_in.weight", axis: 1)
    outChannels = try source.length("conv_out.weight")
    let levels = max(1, numbered(keys, "down_blocks"))
    var channels: [Int] = []
    for level in 0..<levels {
      channels.append(try source.length("down_blocks.\(level).resnets.0.conv1.weight"))
    }
    blockOutChannels = channels
    layersPerBlock = .one(max(1, numbered(keys, "down_blocks.0.resnets")))
    downBlockTypes = (0..<levels).map { level in
      numbered(keys, "down_blocks.\(level).attentions") > 0 ? "CrossAttnDownBlock2D" : "DownBlock2D"
    }
    upBlockTypes = (0..<levels).map { level in
      numbered(keys, "up_blocks.\(level).attentions") > 0 ? "CrossAttnUpBlock2D" : "UpBlock2D"
    }
    let place = "mid_block.attentions.0"
    guard numbered(keys, "mid_block.attentions") > 0 else {
      throw .noSuchKey(file: source.path, key: "\(place).proj_in.weight")
    }
    crossAttentionDim = try source.length(
      "\(place).transformer_blocks.0.attn2.to_k.weight", axis: 1)
    transformerLayersPerBlock = .one(max(1, numbered(keys, "\(place).transformer_blocks")))
    // Linear projections came with Stable Diffusion 2, and with them heads of 64 channels.
    useLinearProjection = source.shape(of: "\(place).proj_in.weight")?.count == 2
    attentionHeadDim =
      useLinearProjection ? .list(channels.map { max(1, $0 / 64) }) : .one(8)
    normNumGroups = usualGroups(entry)
  }

  /// Whether it takes a mask and a masked picture beside the latents.
  public var isForInpainting: Bool { inChannels - 1 - outChannels == outChannels }
}

extension AutoencoderConfig {
  /// The settings of a VAE of Stable Diffusion 1 or 2.
  ///
  /// - Parameter source: its weights in diffusers' names.
  /// - Throws: `CheckpointError.noSuchKey` when a tensor that tells is missing.
  public init(deducedFrom source: any TensorSource) throws(CheckpointError) {
    self.init()
    let keys = source.keys
    let levels = max(1, numbered(keys, "encoder.down_blocks"))
    var channels: [Int] = []
    for level in 0..<levels {
      channels.append(try source.length("encoder.down_blocks.\(level).resnets.0.conv1.weight"))
    }
    blockOutChannels = channels
    downBlockTypes = [String](repeating: "DownEncoderBlock2D", count: levels)
    upBlockTypes = [String](repeating: "UpDecoderBlock2D", count: levels)
    inChannels = try source.length("encoder.conv_in.weight", axis: 1)
    outChannels = try source.length("decoder.conv_out.weight")
    latentChannels = try source.length("decoder.conv_in.weight", axis: 1)
    layersPerBlock = max(1, numbered(keys, "encoder.down_blocks.0.resnets"))
    normNumGroups = usualGroups(channels[0])
    useQuantConv = keys.contains("quant_conv.weight")
    usePostQuantConv = keys.contains("post_quant_conv.weight")
    midBlockAddAttention = numbered(keys, "decoder.mid_block.attentions") > 0
    sampleSize = .one(512)
  }
}

extension AutoencoderTinyConfig {
  /// The settings of a tiny autoencoder.
  ///
  /// - Parameter source: its weights in diffusers' names.
  /// - Throws: `CheckpointError.noSuchKey` when a tensor that tells is missing.
  public init(deducedFrom source: any TensorSource) throws(CheckpointError) {
    self.init()
    inChannels = try source.length("encoder.layers.0.weight", axis: 1)
    latentChannels = try source.length("decoder.layers.0.weight", axis: 1)
    // A level begins with a convolution that has a weight of its own; blocks have them inside.
    func blocks(_ part: String) -> [Int] {
      var counts: [Int] = []
      for index in 0..<numbered(source.keys, "\(part).layers") + 16 {
        if source.shape(of: "\(part).layers.\(index).weight") != nil {
          counts.append(0)
        } else if source.shape(of: "\(part).layers.\(index).conv.0.weight") != nil,
          !counts.isEmpty
        {
          counts[counts.count - 1] += 1
        }
      }
      return counts.dropLast()
    }
    numEncoderBlocks = blocks("encoder")
    numDecoderBlocks = blocks("decoder")
    encoderBlockOutChannels = [Int](
      repeating: try source.length("encoder.layers.0.weight"), count: numEncoderBlocks.count)
    decoderBlockOutChannels = [Int](
      repeating: try source.length("decoder.layers.0.weight"), count: numDecoderBlocks.count)
    let last = source.keys.filter { $0.hasPrefix("decoder.layers.") && $0.hasSuffix(".bias") }
      .filter { !$0.contains(".conv.") }.compactMap { source.shape(of: $0)?.first }
    outChannels = last.min() ?? 3
  }
}

extension CLIPTextConfig {
  /// The settings of the text encoder of Stable Diffusion 1 or 2.
  ///
  /// - Parameters:
  ///   - source: its weights in transformers' names.
  ///   - kind: OpenCLIP's has the exact GELU and pads with token 0.
  /// - Throws: `CheckpointError.noSuchKey` when a tensor that tells is missing.
  public init(
    deducedFrom source: any TensorSource, kind: SingleFileCheckpoint.TextEncoderKind
  ) throws(CheckpointError) {
    self.init()
    let embeddings = "text_model.embeddings"
    vocabSize = try source.length("\(embeddings).token_embedding.weight")
    hiddenSize = try source.length("\(embeddings).token_embedding.weight", axis: 1)
    maxPositionEmbeddings = try source.length("\(embeddings).position_embedding.weight")
    intermediateSize = try source.length("text_model.encoder.layers.0.mlp.fc1.weight")
    numHiddenLayers = max(1, numbered(source.keys, "text_model.encoder.layers"))
    numAttentionHeads = max(1, hiddenSize / 64)
    hiddenAct = kind == .clip ? "quick_gelu" : "gelu"
    projectionDim = kind == .clip ? hiddenSize : 512
    (bosTokenId, eosTokenId, padTokenId) = (0, 2, 1)
  }
}

extension TensorSource {
  /// The length of one axis of a tensor.
  fileprivate func length(_ key: String, axis: Int = 0) throws(CheckpointError) -> Int {
    guard let shape = shape(of: key), shape.count > axis else {
      throw .noSuchKey(file: path, key: key)
    }
    return shape[axis]
  }
}

/// How many different numbers follow `place.` in the keys, at most 1000.
private func numbered(_ keys: [String], _ place: String) -> Int {
  let prefix = place + "."
  let numbers = keys.compactMap { key -> Int? in
    guard key.hasPrefix(prefix) else { return nil }
    return Int(key.dropFirst(prefix.count).prefix { $0 != "." })
  }
  return min(1000, Set(numbers).count)
}

/// 32 groups as in every released model, fewer where the channels are too few: the largest power of
/// two that divides them.
private func usualGroups(_ channels: Int) -> Int {
  channels <= 0 ? 1 : min(32, channels & -channels)
}
