import Checkpoints

/// Settings of a `CLIPTextModel`, with the names and defaults of transformers.
public struct CLIPTextConfig: ModelConfig {
  /// Number of tokens.
  public var vocabSize = 49_408
  /// Channels of hidden states.
  public var hiddenSize = 512
  /// Channels inside the feed-forward networks.
  public var intermediateSize = 2048
  /// Channels of the joint space, which this model does not reach.
  public var projectionDim = 512
  /// Number of layers.
  public var numHiddenLayers = 12
  /// Number of attention heads.
  public var numAttentionHeads = 8
  /// Longest text in tokens.
  public var maxPositionEmbeddings = 77
  /// Name of the activation.
  public var hiddenAct = "quick_gelu"
  /// Added to variances in layer norms.
  public var layerNormEps: Float = 1e-5
  /// Token that starts a text.
  public var bosTokenId = 49_406
  /// Token that ends a text; 2 in old configs, whatever the token really is.
  public var eosTokenId = 49_407
  /// Token that fills up a text.
  public var padTokenId = 1

  /// transformers' defaults.
  public init() {}

  /// Everything else is a number or has a field.
  public static let supportedValues: [String: [String]] = [:]

  /// The kind of model, for transformers.
  public static let identity: [String: ConfigValue] = [
    "architectures": .array([.string("CLIPTextModel")]), "model_type": .string("clip_text_model"),
  ]

  /// Throws when the settings do not go together, naming one.
  func validate() throws(ConfigError) {
    try checkTextEncoder(
      sizes: [
        ("vocab_size", vocabSize), ("intermediate_size", intermediateSize),
        ("num_hidden_layers", numHiddenLayers), ("max_position_embeddings", maxPositionEmbeddings),
      ], hiddenSize: hiddenSize, heads: numAttentionHeads)
  }
}
