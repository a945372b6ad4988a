extension Image {
  /// The pixels as numbers from -1 (black) to 1, `[height, width, 3]`.
  public func floats() -> [Float] {
    pixels.map { Float($0) / 127.5 - 1 }
  }

  /// Makes a picture of numbers from -1 (black) to 1.
  ///
  /// `(x + 1) * 127.5` is rounded half up; what lies outside is clamped, NaN is black.
  ///
  /// - Parameters:
  ///   - width: at least 1.
  ///   - height: at least 1.
  ///   - floats: `[height, width, 3]`.
  public init(width: Int, height: Int, floats: [Float]) {
    precondition(
      floats.count == width * height * 3,
      "Image: \(width)x\(height) needs \(width * height * 3) numbers, got \(floats.count)")
    self.init(
      width: width, height: height,
      pixels: floats.map { value in
        let level = (value + 1) * 127.5 + 0.5
        return level >= 255 ? 255 : level > 0 ? UInt8(level) : 0
      })
  }
}
