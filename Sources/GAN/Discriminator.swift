import Checkpoints
import ComputeCore
import Layers

/// Says how real pictures look, of a class if it was trained with classes.
///
/// The generator turned round, with averaging in place of enlarging and, at the end, one weighted sum
/// over each channel's pixels; a class adds the product of
/// its embedding with the features (Miyato and Koyama 2018, "cGANs with Projection Discriminator",
/// arXiv:1802.05637). A linear layer on the features also names the class (Odena et al. 2017,
/// "Conditional Image Synthesis with Auxiliary Classifier GANs", arXiv:1610.09585). Source of the
/// rest: as `ResidualBlock`.
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
  let classifier: Linear?

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
    let classCount = config.classNames.count
    classEmbedding = classCount == 0 ? nil : Embedding(classCount, Self.featureCount)
    classifier = classCount == 0 ? nil : Linear(Self.featureCount, classCount)
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
    verdict(x, labels: labels).logits
  }

  /// What it says of pictures.
  package struct Verdict {
    /// The larger, the more real, `[N]`.
    package let logits: Tensor
    /// Logits of the classes a picture may be of, `[N, classes]`; `nil` without classes.
    package let classLogits: Tensor?
  }

  /// Judges pictures, and says of which classes they seem to be.
  ///
  /// - Parameters:
  ///   - x: pictures `[N, sampleSize, sampleSize, channels]` in -1…1.
  ///   - labels: a class number for each, for the logits only; ignored without classes.
  /// - Returns: one verdict for all.
  package func verdict(_ x: Tensor, labels: [Int32]) -> Verdict {
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
    guard let classEmbedding, let classifier else {
      return Verdict(logits: logits, classLogits: nil)
    }
    let match = (found * classEmbedding(labels, [n])).sum(axes: [1])
    return Verdict(
      logits: logits + match / Float(Self.featureCount).squareRoot(),
      classLogits: classifier(leakyReLU(found)))
  }
}
