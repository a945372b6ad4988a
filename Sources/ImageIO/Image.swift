/// An 8-bit RGB picture in memory.
///
/// Colours are whatever the file says, taken as sRGB; there is no alpha channel.
public struct Image: Equatable, Hashable, Sendable {
  /// Pixels from left to right, at least 1.
  public let width: Int
  /// Pixels from top to bottom, at least 1.
  public let height: Int
  /// `[height, width, 3]`: red, green, blue, 0...255, rows from the top.
  public internal(set) var pixels: [UInt8]

  /// Makes a picture of given pixels.
  ///
  /// - Parameters:
  ///   - width: at least 1.
  ///   - height: at least 1.
  ///   - pixels: `[height, width, 3]`.
  public init(width: Int, height: Int, pixels: [UInt8]) {
    precondition(width > 0 && height > 0, "Image: size must be positive, got \(width)x\(height)")
    precondition(
      pixels.count == width * height * 3,
      "Image: \(width)x\(height) needs \(width * height * 3) bytes, got \(pixels.count)")
    self.width = width
    self.height = height
    self.pixels = pixels
  }

  /// Makes a picture of one colour.
  public init(width: Int, height: Int, color: RGB = .white) {
    precondition(width > 0 && height > 0, "Image: size must be positive, got \(width)x\(height)")
    self.init(width: width, height: height) { out in
      for i in 0..<width * height {
        out[3 * i] = color.red
        out[3 * i + 1] = color.green
        out[3 * i + 2] = color.blue
      }
    }
  }

  /// Makes a picture whose bytes, all of them, `fill` writes.
  init(width: Int, height: Int, filledBy fill: (UnsafeMutablePointer<UInt8>) -> Void) {
    let count = width * height * 3
    let pixels = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
      guard let start = buffer.baseAddress else { return }
      fill(start)
      initialized = count
    }
    self.init(width: width, height: height, pixels: pixels)
  }

  /// The colour at column `x`, row `y`.
  public subscript(x: Int, y: Int) -> RGB {
    get {
      let i = offset(x, y)
      return RGB(pixels[i], pixels[i + 1], pixels[i + 2])
    }
    set {
      let i = offset(x, y)
      pixels[i] = newValue.red
      pixels[i + 1] = newValue.green
      pixels[i + 2] = newValue.blue
    }
  }

  private func offset(_ x: Int, _ y: Int) -> Int {
    precondition(
      x >= 0 && x < width && y >= 0 && y < height,
      "Image: (\(x), \(y)) is outside of \(width)x\(height)")
    return (y * width + x) * 3
  }
}

/// A colour of three 8-bit channels.
public struct RGB: Equatable, Hashable, Sendable {
  /// 0...255.
  public var red: UInt8
  /// 0...255.
  public var green: UInt8
  /// 0...255.
  public var blue: UInt8

  /// Makes a colour of its channels, 0...255 each.
  public init(_ red: UInt8, _ green: UInt8, _ blue: UInt8) {
    self.red = red
    self.green = green
    self.blue = blue
  }

  /// All channels 255.
  public static let white = RGB(255, 255, 255)
  /// All channels 0.
  public static let black = RGB(0, 0, 0)
}
