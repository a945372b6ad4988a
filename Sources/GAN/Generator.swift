import Checkpoints
import ComputeCore
import Layers

/// Turns noise, and a class if it was trained with classes, into pictures.
///
/// Noise and class become the picture of the smallest size by a linear map, which gives every place a
/// say of its own (Radford et al. 2016, arXiv:1511.06434, figure 1); residual blocks that both of them
/// steer, repeated enlarging and a last convolution make blocks of pixels of it.
/// Source of the rest: as `ResidualBlock`.
public final class Generator: ConfiguredModule {
  /// Sizes.
  public let config: GANConfig
  let classEmbedding: Embedding?
  /// Latent → the smallest level, `[H · W · C, latent]`.
  let input: Linear
  let levels: [Level]
  let output: Conv2d
  /// Shape of a batch of the smallest level.
  private let smallest: Shape

  /// The parameters without values.
  public init(_ config: GANConfig) throws(ConfigError) {
    try config.check()
    self.config = config
    let (sizes, channels) = (config.levelSizes, config.levelChannels)
    let count = sizes.count
    let conditions = config.classNames.isEmpty ? 0 : config.latentSize
    classEmbedding =
      conditions == 0 ? nil : Embedding(config.classNames.count, config.latentSize)
    let (side, width) = (sizes[count - 1], channels[count - 1])
    smallest = [-1, side, side, width]
    input = Linear(config.latentSize + conditions, side * side * width)
    levels = (0..<count).reversed().map { index in
      Level(
        channels[index], layers: config.layersPerBlock,
        next: index == 0 ? nil : channels[index - 1],
        latentSize: config.latentSize + conditions)
    }
    output = Conv2d(
      channels[0], config.channels * config.patchSize * config.patchSize, kernelSize: 3,
      padding: 1)
  }

  /// Name of its weight files.
  public static let weightsName = "generator"

  /// Keys are the names of the properties.
  public static let keyMap = KeyMap.identity

  /// Fills all parameters for training from scratch.
  public func initializeForTraining(using generator: inout TorchGenerator) {
    initializeForGAN(self, blocks: levels.count * config.layersPerBlock, using: &generator)
  }

  /// Pictures for noise.
  ///
  /// - Parameters:
  ///   - z: normal noise `[N, latentSize]`.
  ///   - labels: a class number for each; ignored without classes.
  /// - Returns: `[N, sampleSize, sampleSize, channels]`, about -1…1.
  public func callAsFunction(_ z: Tensor, labels: [Int32]) -> Tensor {
    var latent = z
    if let classEmbedding {
      latent = concatenated([z, classEmbedding(labels, [z.shape[0]])])
    }
    var h = input(latent).reshaped(smallest)
    for (index, level) in levels.enumerated() {
      h = level(h, latent: latent)
      guard index < levels.count - 1 else { break }
      h = upsampledNearest(level.transition?(h) ?? h, scale: 2)
    }
    return depthToSpace(output(leakyReLU(h)), block: config.patchSize)
  }
}
