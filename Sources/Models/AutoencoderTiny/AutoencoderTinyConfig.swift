import Checkpoints

/// Settings of an `AutoencoderTiny`, with the names and defaults of diffusers.
public struct AutoencoderTinyConfig: ModelConfig {
  /// Channels of pictures going in.
  public var inChannels = 3
  /// Channels of pictures coming out.
  public var outChannels = 3
  /// Channels of each level of the encoder, outermost first.
  public var encoderBlockOutChannels = [64, 64, 64, 64]
  /// Channels of each level of the decoder, deepest first.
  public var decoderBlockOutChannels = [64, 64, 64, 64]
  /// Channels of latents.
  public var latentChannels = 4
  /// Name of the activation of the decoder's start and of the residual blocks.
  public var actFn = "relu"
  /// How much each level of the decoder but the last enlarges.
  public var upsamplingScalingFactor = 2
  /// Residual blocks of each level of the encoder.
  public var numEncoderBlocks = [1, 3, 3, 3]
  /// Residual blocks of each level of the decoder.
  public var numDecoderBlocks = [3, 3, 3, 1]
  /// What latents are multiplied by so that their variance is about 1; 1, as it was trained on
  /// latents that are scaled already.
  public var scalingFactor: Float = 1

  /// diffusers' defaults, which are those of TAESD.
  public init() {}

  /// Settings of diffusers that only some values of are known here.
  public static let supportedValues = ["upsample_fn": ["\"nearest\""]]

  /// The kind of model, for diffusers.
  public static let identity: [String: ConfigValue] = [
    "_class_name": .string("AutoencoderTiny"), "_diffusers_version": .string("0.27.0"),
  ]

  /// Pixels of a picture per pixel of its latents, in each direction.
  public var downscale: Int { 1 << (encoderBlockOutChannels.count - 1) }

  /// Throws when the settings do not go together, naming one.
  func validate() throws(ConfigError) {
    for (part, channels, blocks) in [
      ("encoder", encoderBlockOutChannels, numEncoderBlocks),
      ("decoder", decoderBlockOutChannels, numDecoderBlocks),
    ] {
      // Convolutions between levels keep the channels, so that all levels must have the same.
      guard (1...8).contains(channels.count), (1...65_536).contains(channels[0]),
        Set(channels).count == 1
      else {
        throw ConfigError(
          "\(part)_block_out_channels", found: "\(channels)",
          expected: "1 to 8 levels of the same channels, up to 65536")
      }
      guard blocks.count == channels.count, blocks.allSatisfy((0...64).contains) else {
        throw ConfigError(
          "num_\(part)_blocks", found: "\(blocks)",
          expected: "\(channels.count) numbers from 0 to 64")
      }
    }
    guard decoderBlockOutChannels.count == encoderBlockOutChannels.count else {
      throw ConfigError(
        "decoder_block_out_channels", found: "\(decoderBlockOutChannels)",
        expected: "\(encoderBlockOutChannels.count) levels, as many as the encoder has")
    }
    for (key, value) in [
      ("in_channels", inChannels), ("out_channels", outChannels),
      ("latent_channels", latentChannels),
    ] where !(1...65_536).contains(value) {
      throw ConfigError(key, found: "\(value)", expected: "1 to 65536")
    }
    guard upsamplingScalingFactor == 2 else {
      throw ConfigError(
        "upsampling_scaling_factor", found: "\(upsamplingScalingFactor)", expected: "2")
    }
    guard scalingFactor.isFinite, scalingFactor != 0 else {
      throw ConfigError("scaling_factor", found: "\(scalingFactor)", expected: "not 0")
    }
  }
}
