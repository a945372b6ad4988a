import Checkpoints

/// Settings of an `AutoencoderKL`, with the names and defaults of diffusers.
public struct AutoencoderConfig: ModelConfig {
  /// Channels of pictures going in.
  public var inChannels = 3
  /// Channels of pictures coming out.
  public var outChannels = 3
  /// Kind of each block of the encoder.
  public var downBlockTypes = ["DownEncoderBlock2D"]
  /// Kind of each block of the decoder.
  public var upBlockTypes = ["UpDecoderBlock2D"]
  /// Channels of each level, outermost first.
  public var blockOutChannels = [64]
  /// Residual blocks of each encoder level; the decoder has one more.
  public var layersPerBlock = 1
  /// Channels of latents.
  public var latentChannels = 4
  /// Groups of every group norm.
  public var normNumGroups = 32
  /// Height and width that the model was trained for, in pixels.
  public var sampleSize: IntOrList?
  /// What latents are multiplied by so that their variance is about 1.
  public var scalingFactor: Float = 0.18215
  /// What is subtracted from latents before that.
  public var shiftFactor: Float?
  /// Whether a 1×1 convolution follows the encoder.
  public var useQuantConv = true
  /// Whether a 1×1 convolution precedes the decoder.
  public var usePostQuantConv = true
  /// Whether pixels attend to each other at the deepest level.
  public var midBlockAddAttention = true

  /// diffusers' defaults, which make a toy.
  public init() {}

  /// Settings of diffusers that only some values of are known here.
  public static let supportedValues = [
    "act_fn": ["\"silu\"", "\"swish\""], "latents_mean": ["null"], "latents_std": ["null"],
  ]

  /// The kind of model, for diffusers.
  public static let identity: [String: ConfigValue] = [
    "_class_name": .string("AutoencoderKL"), "_diffusers_version": .string("0.27.0"),
  ]

  /// Pixels of a picture per pixel of its latents, in each direction.
  public var downscale: Int { 1 << (blockOutChannels.count - 1) }

  /// Throws when the settings do not go together, naming one.
  func validate() throws(ConfigError) {
    let range = 1...65_536
    let levels = blockOutChannels.count
    guard (1...16).contains(levels), normNumGroups > 0,
      blockOutChannels.allSatisfy({ range.contains($0) && $0 % normNumGroups == 0 })
    else {
      throw ConfigError(
        "block_out_channels", found: "\(blockOutChannels)",
        expected: "1 to 16 multiples of norm_num_groups (\(normNumGroups)) up to 65536")
    }
    for (key, types, supported) in [
      ("down_block_types", downBlockTypes, "DownEncoderBlock2D"),
      ("up_block_types", upBlockTypes, "UpDecoderBlock2D"),
    ] where types != [String](repeating: supported, count: levels) {
      throw ConfigError(
        key, found: "\(types)", expected: "\(supported) for each of the \(levels) levels")
    }
    for (key, value) in [
      ("in_channels", inChannels), ("out_channels", outChannels),
      ("latent_channels", latentChannels),
    ] where !range.contains(value) {
      throw ConfigError(key, found: "\(value)", expected: "1 to 65536")
    }
    guard (1...64).contains(layersPerBlock) else {
      throw ConfigError("layers_per_block", found: "\(layersPerBlock)", expected: "1 to 64")
    }
    guard scalingFactor.isFinite, scalingFactor != 0 else {
      throw ConfigError("scaling_factor", found: "\(scalingFactor)", expected: "not 0")
    }
  }
}
