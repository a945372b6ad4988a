import Checkpoints
import ComputeCore
import Layers

/// Says how real pictures look, of a class if it was trained with classes.
///
/// The generator turned round, with averaging in place of enlarging and, at the end, one weighted sum
/// over each channel's pixels; a class adds the product of
/// its embedding with the features (Miyato and Koyama 2018, "cGANs with Projection Discriminator",
/// arXiv:1802.05637). Source of the rest: as `ResidualBlock`.
public final class Discriminator: ConfiguredModule {
  /// Sizes.
  public let config: GANConfig
  let input: Conv2d
  let levels: [Level]
  /// `[H, W, C]` of the smallest level.
  let basis: Parameter
  let features: Linear
  let output: Linear
  let classEmbedding: Embedding?

  private static let featureCount = 128

  /// The parameters without values.
  public init(_ config: GANConfig) throws(ConfigError) {
    try config.check()
    self.config = config
    let (sizes, channels) = (config.levelSizes, config.levelChannels)
    let last = sizes.count - 1
    input = Conv2d(
      config.channels * config.patchSize * config.patchSize, channels[0], kernelSize: 3,
      padding: 1)
    levels = sizes.indices.map { index in
      Level(
        channels[index], layers: config.layersPerBlock,
        next: index == last ? nil : channels[index + 1])
    }
    basis = Parameter([sizes[last], sizes[last], channels[last]], .normal(std: 1))
    features = Linear(channels[last], Self.featureCount)
    output = Linear(Self.featureCount, 1)
    classEmbedding =
      config.classNames.isEmpty ? nil : Embedding(config.classNames.count, Self.featureCount)
  }

  /// Name of its weight files.
  public static let weightsName = "discriminator"

  /// Keys are the names of the properties.
  public static let keyMap = KeyMap.identity

  /// Fills all parameters for training from scratch.
  public func initializeForTraining(using generator: inout TorchGenerator) {
    initializeForGAN(self, blocks: levels.count * config.layersPerBlock, using: &generator)
  }

  /// Logits: the larger, the more real.
  ///
  /// - Parameters:
  ///   - x: pictures `[N, sampleSize, sampleSize, channels]` in -1…1.
  ///   - labels: a class number for each; ignored without classes.
  /// - Returns: `[N]`.
  public func callAsFunction(_ x: Tensor, labels: [Int32]) -> Tensor {
    var h = input(spaceToDepth(x, block: config.patchSize))
    for (index, level) in levels.enumerated() {
      h = level(h)
      guard index < levels.count - 1 else { break }
      h = averagePool2d(h, size: 2, stride: 2)
      h = level.transition?(h) ?? h
    }
    let n = x.shape[0]
    let found = features((leakyReLU(h) * basis.value).sum(axes: [1, 2]))
    let logits = output(found).reshaped([n])
    guard let classEmbedding else { return logits }
    let direction = classEmbedding(labels, [n])
    return logits
      + (found * direction).sum(axes: [1]) / Float(Self.featureCount).squareRoot()
  }
}
