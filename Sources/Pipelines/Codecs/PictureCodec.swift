import ComputeCore
import Models

/// Turns pictures into the tensors that a denoiser works on, and back.
public protocol PictureCodec {
  /// Channels of the latents.
  var latentChannels: Int { get }
  /// Pixels that one latent position stands for, in each direction.
  var pixelsPerLatent: Int { get }

  /// Whether neighbouring latents can be mixed as pixels can.
  var hasSmoothLatents: Bool { get }

  /// Pictures `[N, H, W, 3]` in [-1, 1] → latents `[N, H / p, W / p, latentChannels]`.
  func encode(_ pictures: Tensor) -> Tensor
  /// The same with latents drawn at random, where the codec has a distribution of them.
  ///
  /// - Parameters:
  ///   - pictures: `[1, H, W, 3]`, or N of them.
  ///   - count: N, how many latents are drawn.
  ///   - noise: normal numbers of a shape `[N, h, w, C]`; asked once, or not at all.
  /// - Returns: `[N, h, w, C]`, or `[1, h, w, C]` from one picture when nothing is drawn.
  func sample(_ pictures: Tensor, count: Int, noise: (Shape) -> Tensor) -> Tensor
  /// Latents `[N, h, w, latentChannels]` → pictures `[N, h · p, w · p, 3]`, not clamped.
  func decode(_ latents: Tensor) -> Tensor
  /// The same, telling how far it is where that takes long.
  func decode(_ latents: Tensor, progress: @escaping WorkProgress) -> Tensor
  /// About what `decode` gives, at no cost that matters beside a step of sampling.
  ///
  /// - Parameter latents: `[N, h, w, latentChannels]`.
  /// - Returns: `[N, h, w, 3]` or larger; `nil` when there is no quick way.
  func preview(_ latents: Tensor) -> Tensor?
}

extension PictureCodec {
  /// They can.
  public var hasSmoothLatents: Bool { true }

  /// The pictures themselves, for codecs that decode quickly.
  public func preview(_ latents: Tensor) -> Tensor? { decode(latents) }

  /// Decodes in one go.
  public func decode(_ latents: Tensor, progress: @escaping WorkProgress) -> Tensor {
    decode(latents)
  }

  /// The codec with a rule for when it computes tile by tile, if it can do that at all.
  func with(tiles: TileUse) -> any PictureCodec {
    (self as? AutoencoderCodec)?.with(tiles: tiles) ?? self
  }

  /// The only latents there are.
  public func sample(_ pictures: Tensor, count: Int, noise: (Shape) -> Tensor) -> Tensor {
    encode(pictures)
  }
}

/// No autoencoder at all: each block of pixels becomes the channels of one position.
///
/// Channel order as `torch.nn.functional.pixel_unshuffle`.
public struct SpaceToDepthCodec: PictureCodec {
  /// Side of a block in pixels.
  public let pixelsPerLatent: Int

  /// A codec of blocks of `blockSize` x `blockSize` pixels.
  public init(blockSize: Int) {
    pixelsPerLatent = blockSize
  }

  /// They cannot: each channel is a pixel of its own.
  public var hasSmoothLatents: Bool { false }

  /// Three colours of each pixel of a block.
  public var latentChannels: Int { 3 * pixelsPerLatent * pixelsPerLatent }

  /// `[N, H, W, 3]` → `[N, H / p, W / p, 3 · p²]`.
  public func encode(_ pictures: Tensor) -> Tensor {
    spaceToDepth(pictures, block: pixelsPerLatent)
  }

  /// `[N, h, w, 3 · p²]` → `[N, h · p, w · p, 3]`.
  public func decode(_ latents: Tensor) -> Tensor {
    depthToSpace(latents, block: pixelsPerLatent)
  }
}
