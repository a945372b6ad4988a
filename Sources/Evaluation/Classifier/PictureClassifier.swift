import Checkpoints
import ComputeCore
import Layers

/// A convolutional network that tells classes of small pictures apart.
///
/// Blocks of 3×3 convolutions, each with batch normalisation and ReLU, end in max pooling; two
/// linear layers follow. Source: the plan of VGG (Simonyan & Zisserman 2014, arXiv:1409.1556) with
/// batch normalisation (Ioffe & Szegedy 2015, arXiv:1502.03167).
public final class PictureClassifier: ConfiguredModule {
  /// The settings it was built from.
  public let config: ClassifierConfig

  let blocks: [ClassifierBlock]
  let hidden: Linear
  let head: Linear

  /// Name of its weight files without extension.
  public static let weightsName = "model"

  /// Only this program writes such files.
  public static let keyMap = KeyMap.identity

  /// Builds the model without values.
  public init(_ config: ClassifierConfig) throws(ConfigError) {
    try config.validate()
    self.config = config
    var channels = config.inChannels
    blocks = config.blockOutChannels.map { outChannels in
      defer { channels = outChannels }
      return ClassifierBlock(channels, outChannels, layers: config.layersPerBlock)
    }
    let (height, width) = config.finalSize
    hidden = Linear(height * width * channels, config.hiddenSize)
    head = Linear(config.hiddenSize, config.classNames.count)
  }

  /// `x` `[N, H, W, C]` in -1…1 → logits of the classes `[N, K]`.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    head(features(x))
  }

  /// `x` `[N, H, W, C]` in -1…1 → the values before the last layer `[N, hiddenSize]`, at least 0.
  public func features(_ x: Tensor) -> Tensor {
    let h = blocks.reduce(x) { $1($0) }
    return relu(hidden(h.reshaped([x.shape[0], -1])))
  }

  /// Whether batch normalisation uses the statistics of the batch and keeps count of them.
  public func setTraining(_ isTraining: Bool) {
    for (_, module) in namedModules() {
      if let norm = module as? BatchNorm2d { norm.isTraining = isTraining }
    }
  }
}

/// Convolutions with batch normalisation and ReLU, then max pooling that halves height and width.
final class ClassifierBlock: Module {
  let convs: [Conv2d]
  let norms: [BatchNorm2d]

  init(_ inChannels: Int, _ outChannels: Int, layers: Int) {
    convs = (0..<layers).map {
      // The normalisation that follows takes a bias away again.
      Conv2d(
        $0 == 0 ? inChannels : outChannels, outChannels, kernelSize: 3, padding: 1, bias: false)
    }
    norms = (0..<layers).map { _ in BatchNorm2d(outChannels) }
  }

  /// `x` `[N, H, W, in]` → `[N, H / 2, W / 2, out]`.
  func callAsFunction(_ x: Tensor) -> Tensor {
    let h = zip(convs, norms).reduce(x) { relu($1.1($1.0($0))) }
    return maxPool2d(h, size: 2, stride: 2)
  }
}
