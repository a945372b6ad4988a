import ComputeCore
import Layers

/// Encoding and decoding of pictures that are too large for one piece.
///
/// diffusers' `tiled_decode` runs the decoder on overlapping tiles and blends them; norms and the
/// attention of the middle block then see a tile only, so colours and contrast change from tile to
/// tile. Here what looks at the whole picture does so: the middle block is computed in one piece at
/// the size of the latents, and norms use the moments of the whole activation. These are not
/// estimated from a smaller picture (as "Tiled VAE" of the multidiffusion extension can), since the
/// published autoencoders put very large numbers into few pixels, which an estimate misses; they are
/// measured, which costs more time the larger the picture (see `TilePlan`). Tiles then agree where
/// they meet, so that there are no seams, and nothing is blended.
extension AutoencoderKL {
  /// `decode` in bounded memory.
  ///
  /// - Parameters:
  ///   - z: unscaled latents `[N, h, w, C]`.
  ///   - tiles: how large the parts are.
  ///   - progress: told the part of the work that is done, from 0 to 1.
  /// - Returns: pictures `[N, H, W, outChannels]`, about [-1, 1], not recorded.
  package func decode(
    _ z: Tensor, tiles: Tiles, progress: @escaping WorkProgress = { _ in }
  ) -> Tensor {
    oneByOne(z, progress) { z, progress in
      let h = decoder.midBlock(decoder.convIn(postQuantConv?(z) ?? z), isCheckpointed: false)
      return TiledNetwork(stages: decoder.tileStages, tiles: tiles)(h, progress: progress)
    }
  }

  /// `moments` in bounded memory; see `decode`.
  package func moments(
    _ x: Tensor, tiles: Tiles, progress: @escaping WorkProgress = { _ in }
  ) -> Tensor {
    oneByOne(x, progress) { x, progress in
      let network = TiledNetwork(stages: encoder.tileStages, tiles: tiles)
      let h = encoder.midBlock(network(x, progress: progress), isCheckpointed: false)
      let y = encoder.convOut(encoder.convNormOut.thenSilu(h, output: Compute.factorType))
      return quantConv?(y) ?? y
    }
  }

  /// The results for each picture of a batch, one after another.
  private func oneByOne(
    _ x: Tensor, _ progress: @escaping WorkProgress,
    _ body: (Tensor, @escaping WorkProgress) -> Tensor
  ) -> Tensor {
    let count = x.shape[0]
    return Compute.withoutRecording {
      let results = (0..<count).map { index in
        body(x.sliced(axis: 0, index..<index + 1)) { share in
          progress((Double(index) + share) / Double(count))
        }
      }
      return concatenated(results, axis: 0)
    }
  }
}

extension AutoencoderConfig {
  /// About the most memory of encoding or decoding one picture in one piece, without weights.
  ///
  /// It is needed at the full size of the picture, in the decoder's first residual block there: its
  /// input and the normalised input with the channels of the last level but one, and the result of
  /// the first convolution. The encoder needs less.
  package func wholeBytes(height: Int, width: Int) -> Int {
    let (outer, inner) = (blockOutChannels[0], blockOutChannels[min(1, blockOutChannels.count - 1)])
    return height * width * 4 * (2 * inner + outer)
  }
}

extension AutoencoderDecoder {
  /// What follows the middle block.
  fileprivate var tileStages: [TileStage] {
    upBlocks.flatMap { $0.resnets.map(TileStage.resnet) + $0.upsamplers.map(TileStage.upsample) }
      + [.output(convNormOut, convOut)]
  }
}

extension AutoencoderEncoder {
  /// What precedes the middle block.
  fileprivate var tileStages: [TileStage] {
    [.convolution(convIn)]
      + downBlocks.flatMap {
        $0.resnets.map(TileStage.resnet) + $0.downsamplers.map(TileStage.downsample)
      }
  }
}
