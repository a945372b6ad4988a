extension Image {
  /// Whether red, green and blue are equal everywhere.
  public var isGrey: Bool {
    pixels.withUnsafeBufferPointer { pixels in
      stride(from: 0, to: pixels.count, by: 3).allSatisfy {
        pixels[$0] == pixels[$0 + 1] && pixels[$0] == pixels[$0 + 2]
      }
    }
  }

  /// The red channel, `[height, width]`, which is all there is to a grey picture.
  var redChannel: [UInt8] {
    stride(from: 0, to: pixels.count, by: 3).map { pixels[$0] }
  }
}
