import ImageIO

/// How a picture of any shape becomes one of the training shape.
public enum Framing: Equatable, Hashable, Sendable {
  /// The largest centred part; what is left and right, or above and below of it is lost.
  case centerCrop
  /// The whole picture with borders of a colour; for graphics on white.
  case fit(background: RGB)

  /// The whole picture with white borders.
  public static let fitOnWhite = Framing.fit(background: .white)

  /// Scales a picture with the Lanczos kernel and gives it the shape `width`x`height`.
  public func apply(to image: Image, width: Int, height: Int) -> Image {
    switch self {
    case .centerCrop:
      return image.resizedToFill(width, height)
    case .fit(let background):
      let scale = min(
        Double(width) / Double(image.width), Double(height) / Double(image.height))
      let scaledWidth = min(width, max(1, Int((Double(image.width) * scale).rounded())))
      let scaledHeight = min(height, max(1, Int((Double(image.height) * scale).rounded())))
      let scaled = image.resized(to: scaledWidth, scaledHeight)
      guard scaledWidth < width || scaledHeight < height else { return scaled }
      var result = Image(width: width, height: height, color: background)
      result.paste(scaled, (width - scaledWidth) / 2, (height - scaledHeight) / 2)
      return result
    }
  }
}
