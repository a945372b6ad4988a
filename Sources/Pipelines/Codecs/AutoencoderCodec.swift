import ComputeCore
import Models

/// When a large autoencoder computes pictures tile by tile.
public enum TileUse: String, CaseIterable, Sendable {
  /// Always.
  case on
  /// Never.
  case off
  /// When one picture in one piece would take more than `AutoencoderCodec.wholeLimit`.
  case auto
}

/// A variational autoencoder between pictures and latents, scaled as its config says.
public struct AutoencoderCodec: PictureCodec {
  /// The most bytes that a picture may take in one piece when tiles are used by need: 2 GiB.
  ///
  /// Sampling a picture of 512x512 with Stable Diffusion takes about as much in bf16, so a larger
  /// picture's autoencoder would be what decides how much memory the program needs. For Stable
  /// Diffusion the limit lies at about 900x900; 1024x1024 takes 2.5 GiB.
  public static let wholeLimit = 2 << 30

  private let vae: AutoencoderKL
  private let use: TileUse
  private let tiles: Tiles

  /// A codec that uses `vae`.
  ///
  /// - Parameters:
  ///   - vae: the autoencoder.
  ///   - use: when it works tile by tile.
  ///   - tiles: how it does.
  public init(_ vae: AutoencoderKL, tiles use: TileUse = .auto, _ tiles: Tiles = Tiles()) {
    (self.vae, self.use, self.tiles) = (vae, use, tiles)
  }

  /// The same codec with another rule for tiles.
  func with(tiles use: TileUse) -> any PictureCodec { AutoencoderCodec(vae, tiles: use, tiles) }

  /// Channels of the autoencoder's latents.
  public var latentChannels: Int { vae.config.latentChannels }

  /// Two for each level but the last.
  public var pixelsPerLatent: Int { vae.config.downscale }

  /// Whether pictures of a size are computed tile by tile.
  public func usesTiles(width: Int, height: Int) -> Bool {
    switch use {
    case .on: true
    case .off: false
    case .auto: vae.config.wholeBytes(height: height, width: width) > AutoencoderCodec.wholeLimit
    }
  }

  /// The mean of the posterior, shifted and scaled: `(mean − shift) · scale`.
  public func encode(_ pictures: Tensor) -> Tensor {
    vae.scaled(posterior(pictures).mean)
  }

  /// Latents drawn from the posterior, shifted and scaled.
  public func sample(_ pictures: Tensor, count: Int, noise: (Shape) -> Tensor) -> Tensor {
    let posterior = posterior(pictures)
    let shape = [count] + posterior.mean.shape.dropFirst()
    return vae.scaled(posterior.mean + posterior.std * noise(shape))
  }

  /// The decoder's picture of `latents / scale + shift`.
  public func decode(_ latents: Tensor) -> Tensor {
    decode(latents) { _ in }
  }

  /// The same, telling how far it is when it works tile by tile.
  public func decode(_ latents: Tensor, progress: @escaping WorkProgress) -> Tensor {
    let z = vae.unscaled(latents)
    let (width, height) = (z.shape[2] * pixelsPerLatent, z.shape[1] * pixelsPerLatent)
    if usesTiles(width: width, height: height) {
      return vae.decode(z, tiles: tiles, progress: progress)
    }
    let count = z.shape[0]
    guard count * vae.config.wholeBytes(height: height, width: width) > Self.wholeLimit else {
      return vae.decode(z)
    }
    // A batch would take as much memory as a large picture; pictures do not depend on each other.
    let pictures = (0..<count).map { index in
      defer { progress(Double(index + 1) / Double(count)) }
      return vae.decode(z.sliced(axis: 0, index..<index + 1))
    }
    return concatenated(pictures, axis: 0)
  }

  /// The colours of the latents, one pixel each.
  public func preview(_ latents: Tensor) -> Tensor? { LatentPreview.colors(of: latents) }

  private func posterior(_ pictures: Tensor) -> DiagonalGaussian {
    guard usesTiles(width: pictures.shape[2], height: pictures.shape[1]) else {
      return vae.encode(pictures)
    }
    return DiagonalGaussian(moments: vae.moments(pictures, tiles: tiles))
  }
}
