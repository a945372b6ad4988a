import Checkpoints
import ComputeCore
import Layers

/// Turns noise, and a class if it was trained with classes, into pictures.
///
/// Noise and class set the strengths of learnt pictures of the smallest size, one per channel;
/// residual blocks that both of them steer, repeated enlarging and a last convolution make blocks of
/// pixels of them.
/// Source: as `ResidualBlock`; the beginning is its `GenerativeBasis`.
public final class Generator: ConfiguredModule {
  /// Sizes.
  public let config: GANConfig
  let classEmbedding: Embedding?
  let input: Linear
  /// `[H, W, C]` of the smallest level.
  let basis: Parameter
  let levels: [Level]
  let output: Conv2d

  /// The parameters without values.
  public init(_ config: GANConfig) throws(ConfigError) {
    try config.check()
    self.config = config
    let (sizes, channels) = (config.levelSizes, config.levelChannels)
    let count = sizes.count
    let conditions = config.classNames.isEmpty ? 0 : config.latentSize
    classEmbedding =
      conditions == 0 ? nil : Embedding(config.classNames.count, config.latentSize)
    input = Linear(config.latentSize + conditions, channels[count - 1], bias: false)
    basis = Parameter([sizes[count - 1], sizes[count - 1], channels[count - 1]], .normal(std: 1))
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
    var h = input(latent).unsqueezed(1, 2) * basis.value
    for (index, level) in levels.enumerated() {
      h = level(h, latent: latent)
      guard index < levels.count - 1 else { break }
      h = upsampledNearest(level.transition?(h) ?? h, scale: 2)
    }
    return depthToSpace(output(leakyReLU(h)), block: config.patchSize)
  }
}
