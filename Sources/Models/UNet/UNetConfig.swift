import Checkpoints

/// Settings of a `UNet2DConditionModel`, with the names and defaults of diffusers.
public struct UNetConfig: ModelConfig {
  /// Height and width that the model was trained for, in pixels of its input.
  public var sampleSize: IntOrList?
  /// Channels of the input.
  public var inChannels = 4
  /// Channels of the output.
  public var outChannels = 4
  /// Whether the time embedding has cosines before sines.
  public var flipSinToCos = true
  /// Shift of the time embedding's frequencies.
  public var freqShift = 0
  /// Kind of each block on the way down.
  public var downBlockTypes = [
    "CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D",
  ]
  /// Kind of the block in the middle.
  public var midBlockType = "UNetMidBlock2DCrossAttn"
  /// Kind of each block on the way up, deepest first.
  public var upBlockTypes = [
    "UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D",
  ]
  /// Channels of each level, outermost first.
  public var blockOutChannels = [320, 640, 1280, 1280]
  /// Residual blocks of each level on the way down; there is one more on the way up.
  public var layersPerBlock = IntOrList.one(2)
  /// Padding of the strided convolutions.
  public var downsamplePadding = 1
  /// Groups of every group norm.
  public var normNumGroups = 32
  /// Added to variances in the residual blocks.
  public var normEps: Float = 1e-5
  /// Channels of the text's hidden states.
  public var crossAttentionDim = 1280
  /// Transformer blocks after each residual block.
  public var transformerLayersPerBlock = IntOrList.one(1)
  /// Number of heads, under the name that diffusers gave it by mistake.
  public var attentionHeadDim = IntOrList.one(8)
  /// Whether checkpoints store the projections around transformers as linear layers.
  public var useLinearProjection = false

  /// diffusers' defaults, which are those of Stable Diffusion 1 but for the text's channels.
  public init() {}

  /// Settings of diffusers that only some values of are known here.
  public static let supportedValues = [
    "act_fn": ["\"silu\"", "\"swish\""], "addition_embed_type": ["null"],
    "attention_type": ["\"default\""], "center_input_sample": ["false"],
    "class_embed_type": ["null"], "class_embeddings_concat": ["false"],
    "conv_in_kernel": ["3"], "conv_out_kernel": ["3"], "cross_attention_norm": ["null"],
    "dropout": ["0"], "dual_cross_attention": ["false"], "encoder_hid_dim": ["null"],
    "encoder_hid_dim_type": ["null"], "mid_block_only_cross_attention": ["null", "false"],
    "mid_block_scale_factor": ["1"],
    "mid_block_type": ["\"UNetMidBlock2DCrossAttn\"", "\"UNetMidBlock2D\""],
    "num_attention_heads": ["null"], "num_class_embeds": ["null"],
    "only_cross_attention": ["false"], "resnet_out_scale_factor": ["1"],
    "resnet_skip_time_act": ["false"], "resnet_time_scale_shift": ["\"default\""],
    "reverse_transformer_layers_per_block": ["null"], "time_cond_proj_dim": ["null"],
    "time_embedding_act_fn": ["null"], "time_embedding_dim": ["null"],
    "time_embedding_type": ["\"positional\""], "timestep_post_act": ["null"],
  ]

  /// The kind of model, for diffusers.
  public static let identity: [String: ConfigValue] = [
    "_class_name": .string("UNet2DConditionModel"), "_diffusers_version": .string("0.27.0"),
  ]
}
