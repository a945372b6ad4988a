import Checkpoints
import Datasets

/// Settings of a `PictureClassifier`.
public struct ClassifierConfig: ModelConfig, Equatable {
  /// What its figures are named after, such as `fashion-cnn`.
  public var name = "cnn"
  /// Rows of a picture.
  public var height = 28
  /// Columns of a picture.
  public var width = 28
  /// 1: grey, 3: red, green, blue.
  public var inChannels = 1
  /// Channels of each block; each halves height and width.
  public var blockOutChannels = [32, 64, 128]
  /// Convolutions in each block.
  public var layersPerBlock = 2
  /// Size of the layer before the last, whose values are the features.
  public var hiddenSize = 128
  /// Names of the classes, in the order of their numbers.
  public var classNames: [String] = []

  /// A network for 28x28 grey pictures, of no classes yet.
  public init() {}

  /// A network for the pictures of `set`, which halves them until at most 4 pixels are left.
  public init(for set: PictureSet, name: String) {
    self.name = name
    (height, width, inChannels) = (set.height, set.width, set.channels)
    classNames = set.classNames
    let blocks = (0...8).first { min(height, width) >> $0 <= 4 } ?? 8
    blockOutChannels = (0..<max(1, blocks)).map { min(128, 32 << $0) }
  }

  /// Every value is honoured or refused by `validate`.
  public static let supportedValues: [String: [String]] = [:]

  /// The kind of model.
  public static let identity: [String: ConfigValue] = ["model_type": .string("picture_classifier")]

  /// Rows and columns that are left after the last block.
  var finalSize: (height: Int, width: Int) {
    (height >> blockOutChannels.count, width >> blockOutChannels.count)
  }

  /// Throws when the settings do not go together, naming one.
  func validate() throws(ConfigError) {
    for (key, value, range) in [
      ("height", height, 1...4_096), ("width", width, 1...4_096),
      ("in_channels", inChannels, 1...64), ("layers_per_block", layersPerBlock, 1...16),
      ("hidden_size", hiddenSize, 1...65_536),
    ] where !range.contains(value) {
      throw ConfigError(
        key, found: "\(value)", expected: "\(range.lowerBound) to \(range.upperBound)")
    }
    guard (1...12).contains(blockOutChannels.count),
      blockOutChannels.allSatisfy((1...4_096).contains), finalSize.height > 0, finalSize.width > 0
    else {
      throw ConfigError(
        "block_out_channels", found: "\(blockOutChannels)",
        expected: "1 to 4096 channels for each of as many blocks as \(height)x\(width) pixels "
          + "can be halved")
    }
    guard (2...65_536).contains(classNames.count), Set(classNames).count == classNames.count
    else {
      throw ConfigError(
        "class_names", found: "\(classNames.count) names", expected: "at least 2 different ones")
    }
  }
}
