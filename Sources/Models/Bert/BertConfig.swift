import Checkpoints

/// Settings of a `BertModel`, with the names and defaults of transformers.
public struct BertConfig: ModelConfig {
  /// Number of tokens.
  public var vocabSize = 30_522
  /// Channels of hidden states.
  public var hiddenSize = 768
  /// Number of layers.
  public var numHiddenLayers = 12
  /// Number of attention heads.
  public var numAttentionHeads = 12
  /// Channels inside the feed-forward networks.
  public var intermediateSize = 3072
  /// Name of the activation.
  public var hiddenAct = "gelu"
  /// Longest text in tokens.
  public var maxPositionEmbeddings = 512
  /// Number of kinds of tokens, such as first and second sentence.
  public var typeVocabSize = 2
  /// Added to variances in layer norms.
  public var layerNormEps: Float = 1e-12
  /// Token that fills up a text.
  public var padTokenId = 0
  /// Whether there is a layer on top of the first token; loading follows the file.
  public var addPoolingLayer = true

  /// transformers' defaults.
  public init() {}

  /// Settings of transformers that only some values of are known here.
  public static let supportedValues = [
    "position_embedding_type": ["\"absolute\"", "null"], "is_decoder": ["false"],
    "add_cross_attention": ["false"], "model_type": ["\"bert\""],
  ]

  /// The kind of model, for transformers.
  public static let identity: [String: ConfigValue] = [
    "architectures": .array([.string("BertModel")]), "model_type": .string("bert"),
  ]

  /// Throws when the settings do not go together, naming one.
  func validate() throws(ConfigError) {
    try checkTextEncoder(
      sizes: [
        ("vocab_size", vocabSize), ("intermediate_size", intermediateSize),
        ("num_hidden_layers", numHiddenLayers), ("max_position_embeddings", maxPositionEmbeddings),
        ("type_vocab_size", typeVocabSize),
      ], hiddenSize: hiddenSize, heads: numAttentionHeads)
  }
}
