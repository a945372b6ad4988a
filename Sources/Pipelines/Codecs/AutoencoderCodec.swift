import ComputeCore
import Models

/// A variational autoencoder between pictures and latents, scaled as its config says.
public struct AutoencoderCodec: PictureCodec {
  private let vae: AutoencoderKL

  /// A codec that uses `vae`.
  public init(_ vae: AutoencoderKL) {
    self.vae = vae
  }

  /// Channels of the autoencoder's latents.
  public var latentChannels: Int { vae.config.latentChannels }

  /// Two for each level but the last.
  public var pixelsPerLatent: Int { vae.config.downscale }

  /// The mean of the posterior, shifted and scaled: `(mean − shift) · scale`.
  public func encode(_ pictures: Tensor) -> Tensor {
    vae.scaled(vae.encode(pictures).mean)
  }

  /// Latents drawn from the posterior, shifted and scaled.
  public func sample(_ pictures: Tensor, count: Int, noise: (Shape) -> Tensor) -> Tensor {
    let posterior = vae.encode(pictures)
    let shape = [count] + posterior.mean.shape.dropFirst()
    return vae.scaled(posterior.mean + posterior.std * noise(shape))
  }

  /// The decoder's picture of `latents / scale + shift`.
  public func decode(_ latents: Tensor) -> Tensor {
    vae.decode(vae.unscaled(latents))
  }
}
