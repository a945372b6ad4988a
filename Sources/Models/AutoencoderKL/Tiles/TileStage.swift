import ComputeCore
import Layers

/// A part of a network whose result at a place depends on few places around it, but for norms,
/// which are told the moments of the whole activation.
///
/// Each gives for a region what the layer gives there for the whole activation.
package enum TileStage {
  /// A 3x3 convolution.
  case convolution(Conv2d)
  /// A residual block without a time embedding.
  case resnet(ResnetBlock2D)
  /// Doubling.
  case upsample(Upsample2D)
  /// Halving, with padding below and to the right.
  case downsample(Downsample2D)
  /// A norm with SiLU and a 3x3 convolution.
  case output(GroupNorm, Conv2d)

  /// The norms in the order they are applied.
  var norms: [GroupNorm] {
    switch self {
    case .resnet(let block): [block.norm1, block.norm2]
    case .output(let norm, _): [norm]
    case .convolution, .upsample, .downsample: []
    }
  }

  /// Channels of the result.
  var outChannels: Int {
    switch self {
    case .convolution(let conv), .output(_, let conv): conv.weight.shape[0]
    case .resnet(let block): block.conv2.weight.shape[0]
    case .upsample(let layer): layer.conv.weight.shape[0]
    case .downsample(let layer): layer.conv.weight.shape[0]
    }
  }

  /// Size of the result for an activation of `size`.
  func resultSize(_ size: TileSize) -> TileSize {
    switch self {
    case .convolution, .resnet, .output: size
    case .upsample: size.map { 2 * $0 }
    case .downsample: size.map { $0 / 2 }
    }
  }

  /// What is read of an activation of `size` to make a region of the result.
  func source(of region: TileRegion, in size: TileSize) -> TileRegion {
    switch self {
    case .convolution, .output: region.grown(in: size)
    case .resnet: region.grown(in: size).grown(in: size)
    case .upsample:
      region.map(in: size) { range, length in
        max(0, (range.lowerBound - 1) >> 1)..<min(length, range.upperBound / 2 + 1)
      }
    case .downsample:
      region.map(in: size) { range, length in
        2 * range.lowerBound..<min(length, 2 * range.upperBound + 1)
      }
    }
  }

  /// A region of the result.
  ///
  /// - Parameters:
  ///   - tile: covers `source(of: region)`.
  ///   - region: of the result.
  ///   - size: of the whole activation that goes in.
  ///   - moments: of what each norm reads.
  /// - Returns: the region, 32-bit.
  func callAsFunction(
    _ tile: Tile, to region: TileRegion, in size: TileSize, _ moments: [GroupMoments]
  ) -> Tile {
    let x = tile.cropped(to: source(of: region, in: size))
    let type = Compute.factorType
    let y: Tensor
    switch self {
    case .convolution(let conv):
      y = conv.padded(x, region.padding(in: size))
    case .output(let norm, let conv):
      y = conv.padded(norm.thenSilu(x, by: moments[0], output: type), region.padding(in: size))
    case .resnet(let block):
      let inner = region.grown(in: size)
      let h = block.norm2.thenSilu(
        block.beforeSecondNorm(x, inner.padding(in: size), moments[0]), by: moments[1],
        output: type)
      let residual = Tile(x: x, region: inner.grown(in: size)).cropped(to: region)
      y = block.conv2.padded(
        h, region.padding(in: size), adding: block.convShortcut?(residual) ?? residual)
    case .upsample(let layer):
      let enlarged = source(of: region, in: size).map(in: size) { range, _ in
        2 * range.lowerBound..<2 * range.upperBound
      }
      // What lies at the edges of the part is padded there and so not right; it is cut off.
      y = Tile(x: layer(x), region: enlarged).cropped(to: region)
    case .downsample(let layer):
      let padding = region.padding(in: resultSize(size))
      y = layer.conv.padded(
        x, Padding(top: 0, bottom: padding.bottom, left: 0, right: padding.right))
    }
    return Tile(x: y, region: region)
  }

  /// What is read of an activation of `size` to make a region of what norm `index` reads.
  func source(ofNorm index: Int, _ region: TileRegion, in size: TileSize) -> TileRegion {
    index == 0 ? region : region.grown(in: size)
  }

  /// A region of what norm number `index` reads; `moments` are those of the norms before it.
  func input(
    ofNorm index: Int, _ tile: Tile, at region: TileRegion, in size: TileSize,
    _ moments: [GroupMoments]
  ) -> Tensor {
    let x = tile.cropped(to: source(ofNorm: index, region, in: size))
    guard index > 0, case .resnet(let block) = self else { return x }
    return block.beforeSecondNorm(x, region.padding(in: size), moments[0])
  }
}

extension ResnetBlock2D {
  /// The first norm and the first convolution, of a part whose edges are padded as `padding` says.
  fileprivate func beforeSecondNorm(
    _ x: Tensor, _ padding: Padding, _ moments: GroupMoments
  ) -> Tensor {
    let type = Compute.factorType
    return conv1.padded(norm1.thenSilu(x, by: moments, output: type), padding, output: type)
  }
}

extension Conv2d {
  /// The convolution with another padding; nothing is attached to an autoencoder's layers.
  fileprivate func padded(
    _ x: Tensor, _ padding: Padding, adding residual: Tensor? = nil, output: DType = .float32
  ) -> Tensor {
    precondition(adapters.isEmpty, "tiles: convolutions with adapters are not computed in tiles")
    return conv2d(
      x, weight: weight.value, bias: bias?.value, stride: stride, padding: padding,
      adding: residual, output: output)
  }
}
