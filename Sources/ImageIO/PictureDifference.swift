import Foundation

/// How much two pictures of one size differ, in grey levels of 0...255.
public struct PictureDifference: Equatable, Sendable {
  /// The largest difference of any channel of any pixel.
  public let worst: Int
  /// The mean over all channels of all pixels.
  public let mean: Double
  /// Pixels of which at least one channel differs.
  public let differingPixels: Int
  /// Pixels of each picture.
  public let pixels: Int
  /// Peak signal-to-noise ratio in decibels, `10 log10(255² / mean squared difference)`; `nil` for
  /// equal pictures, whose ratio is infinite.
  public let peakSignalToNoise: Double?

  /// Compares two pictures, which must have the same size.
  public init(_ a: Image, _ b: Image) {
    precondition(
      a.width == b.width && a.height == b.height,
      "PictureDifference: \(a.width)x\(a.height) and \(b.width)x\(b.height)")
    var (worst, sum, squares, differing) = (0, 0, 0, 0)
    for start in stride(from: 0, to: a.pixels.count, by: 3) {
      var largest = 0
      for place in start..<start + 3 {
        let difference = abs(Int(a.pixels[place]) - Int(b.pixels[place]))
        largest = max(largest, difference)
        sum += difference
        squares += difference * difference
      }
      worst = max(worst, largest)
      if largest > 0 { differing += 1 }
    }
    let count = Double(a.pixels.count)
    (self.worst, mean, differingPixels) = (worst, Double(sum) / count, differing)
    pixels = a.width * a.height
    peakSignalToNoise = squares == 0 ? nil : 10 * log10(255 * 255 * count / Double(squares))
  }

  /// Share of the pixels that differ, 0...1.
  public var differingShare: Double { Double(differingPixels) / Double(pixels) }
}

extension Image {
  /// Where two pictures of one size differ: the difference of every channel times `factor`.
  public func difference(from other: Image, times factor: Int) -> Image {
    precondition(
      width == other.width && height == other.height,
      "difference: \(width)x\(height) and \(other.width)x\(other.height)")
    return Image(
      width: width, height: height,
      pixels: zip(pixels, other.pixels).map {
        UInt8(min(255, abs(Int($0) - Int($1)) * factor))
      })
  }
}
