import ComputeCore
import Models

/// A tiny autoencoder in the place of a large one: quick, a little less sharp.
public struct TinyAutoencoderCodec: PictureCodec {
  private let vae: AutoencoderTiny

  /// A codec that uses `vae`.
  public init(_ vae: AutoencoderTiny) {
    self.vae = vae
  }

  /// Channels of the autoencoder's latents.
  public var latentChannels: Int { vae.config.latentChannels }

  /// Two for each level but the last.
  public var pixelsPerLatent: Int { vae.config.downscale }

  /// The latents, scaled.
  public func encode(_ pictures: Tensor) -> Tensor {
    vae.encode(pictures) * vae.config.scalingFactor
  }

  /// The picture of `latents / scale`.
  public func decode(_ latents: Tensor) -> Tensor {
    vae.decode(latents / vae.config.scalingFactor)
  }
}
