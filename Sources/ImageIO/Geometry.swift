import CImageIO

extension Image {
  /// The part with its top left corner at column `x`, row `y`; it must lie inside of the picture.
  public func cropped(_ x: Int, _ y: Int, _ width: Int, _ height: Int) -> Image {
    precondition(
      x >= 0 && y >= 0 && width > 0 && height > 0 && x + width <= self.width
        && y + height <= self.height,
      "cropped: \(width)x\(height) at (\(x), \(y)) is not inside of \(self.width)x\(self.height)")
    return copied(width, height, first: y * self.width + x, stepX: 1, stepY: self.width)
  }

  /// The largest centred part whose width over height is `aspect`, to the nearest pixel.
  public func centerCropped(aspect: Double) -> Image {
    precondition(aspect > 0 && aspect.isFinite, "centerCropped: aspect must be > 0, got \(aspect)")
    let cropWidth = min(width, max(1, Int(min(Double(height) * aspect, 1e9).rounded())))
    let cropHeight = min(height, max(1, Int(min(Double(width) / aspect, 1e9).rounded())))
    return cropped(
      (width - cropWidth) / 2, (height - cropHeight) / 2, cropWidth, cropHeight)
  }

  /// Mirrored left to right.
  public var flippedHorizontally: Image { oriented(.mirrored) }

  /// Mirrored top to bottom.
  public var flippedVertically: Image { oriented(.flipped) }

  /// Turned clockwise by a number of quarter turns, which may be negative.
  public func rotated(quarterTurns: Int) -> Image {
    let turns: [EXIFOrientation] = [
      .upright, .needsClockwiseTurn, .upsideDown, .needsCounterclockwiseTurn,
    ]
    return oriented(turns[(quarterTurns % 4 + 4) % 4])
  }

  /// Makes upright what was stored in the given orientation.
  public func oriented(_ orientation: EXIFOrientation) -> Image {
    let w = width
    let h = height
    let last = w * h - 1
    switch orientation {
    case .upright: return self
    case .mirrored: return copied(w, h, first: w - 1, stepX: -1, stepY: w)
    case .upsideDown: return copied(w, h, first: last, stepX: -1, stepY: -w)
    case .flipped: return copied(w, h, first: last - w + 1, stepX: 1, stepY: -w)
    case .transposed: return copied(h, w, first: 0, stepX: w, stepY: 1)
    case .needsClockwiseTurn: return copied(h, w, first: last - w + 1, stepX: -w, stepY: 1)
    case .transversed: return copied(h, w, first: last, stepX: -w, stepY: -1)
    case .needsCounterclockwiseTurn: return copied(h, w, first: w - 1, stepX: w, stepY: -1)
    }
  }

  /// Overwrites a part with `image`, whose top left corner goes to column `x`, row `y`.
  public mutating func paste(_ image: Image, _ x: Int, _ y: Int) {
    precondition(
      x >= 0 && y >= 0 && x + image.width <= width && y + image.height <= height,
      "paste: \(image.width)x\(image.height) at (\(x), \(y)) is not inside of \(width)x\(height)")
    for row in 0..<image.height {
      let start = ((y + row) * width + x) * 3
      let source = row * image.width * 3
      pixels.replaceSubrange(
        start..<start + image.width * 3, with: image.pixels[source..<source + image.width * 3])
    }
  }

  /// Output pixel (x, y) is input pixel `first + x * stepX + y * stepY`, counted row by row.
  private func copied(_ width: Int, _ height: Int, first: Int, stepX: Int, stepY: Int) -> Image {
    Image(width: width, height: height) { out in
      cio_copy_strided(out, pixels, width, height, first, stepX, stepY)
    }
  }
}
