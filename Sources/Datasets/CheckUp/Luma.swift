import ImageIO

/// The brightness of a picture, a small working copy for measurements.
struct Luma: Sendable {
  let width: Int
  let height: Int
  /// `[height, width]`, 0...255.
  let values: [Float]

  /// Weighs the channels as ITU-R BT.601 does.
  init(_ image: Image) {
    width = image.width
    height = image.height
    values = (0..<image.width * image.height).map { i in
      0.299 * Float(image.pixels[3 * i]) + 0.587 * Float(image.pixels[3 * i + 1])
        + 0.114 * Float(image.pixels[3 * i + 2])
    }
  }
}

extension Image {
  /// Scales the picture down until its short side is at most `side`; a smaller one stays as it is.
  func reduced(shortSide side: Int, filter: ResizeFilter = .lanczos) -> Image {
    let short = min(width, height)
    guard short > side else { return self }
    let scale = Double(side) / Double(short)
    return resized(
      to: max(1, Int((Double(width) * scale).rounded())),
      max(1, Int((Double(height) * scale).rounded())), filter: filter)
  }
}
