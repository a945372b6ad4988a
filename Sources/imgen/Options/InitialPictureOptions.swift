import ArgumentParser
import ImageIO
import Pipelines

/// A picture to begin from.
struct InitialPictureOptions: ParsableArguments {
  @Option(
    name: .customLong("init"),
    help: """
      Picture to begin from. It is brought to the size that is drawn, which by default is its own.
      """)
  var picture: String?

  @Option(help: "Picture that is white where the one of --init is drawn anew, black elsewhere.")
  var mask: String?

  @Option(
    help: """
      Part of the steps that is done to the picture of --init, above 0 to 1. Default: 0.8, and 1 \
      with --mask.
      """)
  var strength: Double?

  func validate() throws {
    guard picture != nil || (mask == nil && strength == nil) else {
      throw ValidationError("--mask and --strength need a picture to begin from: --init.")
    }
    if let strength, !(strength > 0 && strength <= 1) {
      throw ValidationError("--strength is \(strength), expected above 0 up to 1.")
    }
  }

  /// Reads the picture and its mask.
  func load() throws -> InitialPicture? {
    guard let picture else { return nil }
    return InitialPicture(
      try Image(contentsOf: picture), mask: try mask.map { try Image(contentsOf: $0) },
      strength: strength ?? (mask == nil ? 0.8 : 1))
  }
}
