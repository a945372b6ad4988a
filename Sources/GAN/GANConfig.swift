import Checkpoints
import ComputeCore

/// Sizes of a generator and its discriminator, stored beside them as `config.json`.
public struct GANConfig: ModelConfig, Equatable {
  /// Rows and columns of a picture: a multiple of `patchSize`, from 4 of these to 512.
  public var sampleSize = 28
  /// 1: grey, 3: red, green, blue.
  public var channels = 1
  /// Names of the classes that can be asked for; empty: unconditional.
  public var classNames: [String] = []
  /// Numbers of noise a picture is made from.
  public var latentSize = 64
  /// Edge of the blocks of pixels that the networks take as one with more channels.
  public var patchSize = 2
  /// Channels of the largest level; doubled at each halving, up to `maxChannels`.
  public var baseChannels = 64
  /// No level has more channels.
  public var maxChannels = 256
  /// Residual blocks of each level.
  public var layersPerBlock = 1

  /// A small pair for grey pictures of 28x28.
  public init() {}

  /// All values are supported that `check()` lets pass.
  public static let supportedValues: [String: [String]] = [:]

  /// Kind of model, for `imgen info`.
  public static let identity: [String: ConfigValue] = ["_class_name": .string("ImgenGAN")]

  /// Rows of each level, the largest first: halved while that is even and leaves at least 4.
  public var levelSizes: [Int] {
    var sizes = [sampleSize / patchSize]
    while let size = sizes.last, size % 2 == 0, size / 2 >= 4 { sizes.append(size / 2) }
    return sizes
  }

  /// Channels of each level, the largest first.
  public var levelChannels: [Int] {
    levelSizes.indices.map { min(maxChannels, baseChannels << $0) }
  }

  /// Stops sizes that make no network.
  func check() throws(ConfigError) {
    func demand(_ holds: Bool, _ key: String, _ found: Int, _ expected: String)
      throws(ConfigError)
    {
      if !holds { throw ConfigError(key, found: "\(found)", expected: expected) }
    }
    try demand((1...8).contains(patchSize), "patch_size", patchSize, "1 to 8")
    try demand(
      sampleSize % patchSize == 0 && (4 * patchSize...512).contains(sampleSize), "sample_size",
      sampleSize, "a multiple of \(patchSize), from \(4 * patchSize) to 512")
    try demand([1, 3].contains(channels), "channels", channels, "1 or 3")
    try demand((1...4_096).contains(latentSize), "latent_size", latentSize, "1 to 4096")
    try demand((1...4_096).contains(baseChannels), "base_channels", baseChannels, "1 to 4096")
    try demand((1...4_096).contains(maxChannels), "max_channels", maxChannels, "1 to 4096")
    try demand((1...16).contains(layersPerBlock), "layers_per_block", layersPerBlock, "1 to 16")
  }
}
