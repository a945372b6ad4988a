import Checkpoints
import ComputeCore
import Layers

/// A variational autoencoder between pictures and small latents.
///
/// Source: Kingma & Welling 2013, arXiv:1312.6114; keys and order of operations as in diffusers
/// `models/autoencoders/autoencoder_kl.py`, `AutoencoderKL`.
public final class AutoencoderKL: ConfiguredModule {
  /// The settings it was built from.
  public let config: AutoencoderConfig
  /// Whether blocks compute their activations again for the gradient instead of keeping them.
  public var usesGradientCheckpointing = false

  let encoder: AutoencoderEncoder
  let decoder: AutoencoderDecoder
  let quantConv: Conv2d?
  let postQuantConv: Conv2d?

  /// Name of its weight files without extension.
  public static let weightsName = "diffusion_pytorch_model"

  /// diffusers' names of today and of before 0.17.
  public static let keyMap = KeyMap.autoencoder

  /// Builds the model without values.
  public init(_ config: AutoencoderConfig) throws(ConfigError) {
    try config.validate()
    self.config = config
    let latents = config.latentChannels
    encoder = AutoencoderEncoder(config)
    decoder = AutoencoderDecoder(config)
    quantConv = config.useQuantConv ? Conv2d(2 * latents, 2 * latents, kernelSize: 1) : nil
    postQuantConv = config.usePostQuantConv ? Conv2d(latents, latents, kernelSize: 1) : nil
  }

  /// `x` `[N, H, W, inChannels]` in [-1, 1] → the distribution of its unscaled latents.
  public func encode(_ x: Tensor) -> DiagonalGaussian {
    DiagonalGaussian(moments: moments(x))
  }

  /// `x` `[N, H, W, inChannels]` → means and logarithms of variances `[N, h, w, 2 · C]`, not
  /// limited yet.
  package func moments(_ x: Tensor) -> Tensor {
    let h = encoder(x, isCheckpointed: usesGradientCheckpointing)
    return quantConv?(h) ?? h
  }

  /// Unscaled latents `z` `[N, h, w, C]` → pictures `[N, H, W, outChannels]`, about [-1, 1].
  public func decode(_ z: Tensor) -> Tensor {
    decoder(postQuantConv?(z) ?? z, isCheckpointed: usesGradientCheckpointing)
  }

  /// Latents as diffusion models want them, `(z - shift) · scale`.
  public func scaled(_ z: Tensor) -> Tensor {
    (z - (config.shiftFactor ?? 0)) * config.scalingFactor
  }

  /// The inverse of `scaled`, for decoding.
  public func unscaled(_ latents: Tensor) -> Tensor {
    latents / config.scalingFactor + (config.shiftFactor ?? 0)
  }
}
