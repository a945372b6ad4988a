import ComputeCore

/// Sizes of a generator and its discriminator, stored beside them as `config.json`.
public struct GANConfig: Codable, Equatable, Sendable {
  /// Rows and columns of a picture: a multiple of 4, 16 to 128.
  public var sampleSize: Int
  /// 1: grey, 3: red, green, blue.
  public var channels: Int
  /// Classes that can be asked for; 0: unconditional.
  public var numClasses: Int
  /// Names of the classes; empty without classes.
  public var classNames: [String]
  /// Numbers of noise a picture is made from.
  public var latentSize: Int
  /// Channels at the full size; doubled at each halving, up to `maxChannels`.
  public var baseChannels: Int
  /// Channels at the smallest size are at most this.
  public var maxChannels: Int

  /// The sizes for a data set, of which all follow from `baseChannels`.
  public init(
    sampleSize: Int, channels: Int, classNames: [String] = [], latentSize: Int = 64,
    baseChannels: Int = 32, maxChannels: Int = 256
  ) {
    (self.sampleSize, self.channels) = (sampleSize, channels)
    (numClasses, self.classNames) = (classNames.count, classNames)
    (self.latentSize, self.baseChannels) = (latentSize, baseChannels)
    self.maxChannels = maxChannels
  }

  /// Rows of the pictures at each level, the full size first: halved while it stays even and the
  /// half is at least 4.
  public var levelSizes: [Int] {
    var sizes = [sampleSize]
    while let size = sizes.last, size % 2 == 0, size / 2 >= 4 { sizes.append(size / 2) }
    return sizes
  }

  /// Channels at each level, the full size first.
  public var levelChannels: [Int] {
    levelSizes.indices.map { min(maxChannels, baseChannels << $0) }
  }
}
