/// A part of a picture, in pixels.
public struct CropBox: Equatable, Hashable, Sendable {
  /// Column of the left edge.
  public let x: Int
  /// Row of the upper edge.
  public let y: Int
  /// At least 1.
  public let width: Int
  /// At least 1.
  public let height: Int

  /// Describes a part of a picture.
  public init(x: Int, y: Int, width: Int, height: Int) {
    self.x = x
    self.y = y
    self.width = width
    self.height = height
  }

  /// Chooses a part of the shape of the output at random, a pure function of its arguments.
  ///
  /// Every place is equally likely, and so is every size from the largest part down to `minScale`
  /// of it; but never is a part smaller than the output, unless the picture is.
  ///
  /// - Parameters:
  ///   - width: of the picture.
  ///   - height: of the picture.
  ///   - outputWidth: width that the part will be scaled to.
  ///   - outputHeight: height that the part will be scaled to.
  ///   - minScale: sides of the smallest part over those of the largest one, above 0, at most 1.
  ///   - seed: such as `stepSeed(seed, sample, .crops)`.
  /// - Returns: a part that lies inside of the picture.
  public static func random(
    width: Int, height: Int, outputWidth: Int, outputHeight: Int, minScale: Double = 0.5,
    seed: UInt64
  ) -> CropBox {
    precondition(minScale > 0 && minScale <= 1, "CropBox: no scale \(minScale) in (0, 1]")
    var generator = SplitMix64(seed: seed)
    let largest = min(
      Double(width) / Double(outputWidth), Double(height) / Double(outputHeight))
    let smallest = min(largest, max(1, minScale * largest))
    let scale = smallest + (largest - smallest) * generator.unit()
    let cropWidth = min(width, max(1, Int((Double(outputWidth) * scale).rounded())))
    let cropHeight = min(height, max(1, Int((Double(outputHeight) * scale).rounded())))
    return CropBox(
      x: generator.below(width - cropWidth + 1), y: generator.below(height - cropHeight + 1),
      width: cropWidth, height: cropHeight)
  }
}
