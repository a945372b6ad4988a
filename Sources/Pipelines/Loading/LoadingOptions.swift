import Checkpoints
import Diffusion

/// How a model is loaded where its files leave a choice.
public struct LoadingOptions: Sendable {
  /// Tokenizer folder in place of the model's own; single files have none, and get the one in
  /// `tokenizer/` beside them or CLIP's usual vocabulary.
  public var tokenizer: String?
  /// VAE in place of the model's own: a folder or a file.
  public var autoencoder: String?
  /// What the denoiser puts out, in place of what the model's files say.
  public var prediction: PredictionType?
  /// When a large VAE computes pictures tile by tile.
  public var tiles = TileUse.auto
  /// Which of a single file's weights are used.
  public var weights = SingleFileCheckpoint.Weights.trained

  /// The model's own parts.
  public init() {}
}
