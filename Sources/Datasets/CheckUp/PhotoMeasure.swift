import ImageIO

/// What the check-up knows of one decoded photo; the photo itself is gone.
struct PhotoMeasure: Sendable {
  let width: Int
  let height: Int
  /// Of all pixels at full size; equal for copies of a file.
  let pixelHash: UInt64
  let hash: PerceptualHash
  /// `[16, 16, 3]`, 0...255.
  let thumbnail: [UInt8]
  /// Detail in the edges; `nil` when there are none.
  let acuity: Double?
  let exposure: Exposure
  let wasTurned: Bool

  /// Short side at which sharpness is judged.
  static let side = 256
  /// Side of the thumbnails that are compared.
  static let thumbnailSide = 16

  init(_ file: ImageFile) {
    let image = file.image
    width = image.width
    height = image.height
    wasTurned = file.exifOrientation != .upright
    pixelHash = Self.hash(image)
    let small = image.reduced(shortSide: Self.side)
    let luma = Luma(small)
    hash = PerceptualHash(small)
    thumbnail = small.resized(to: Self.thumbnailSide, Self.thumbnailSide, filter: .box).pixels
    acuity = luma.acuity
    exposure = Exposure(small, luma)
  }

  var pixelCount: Int { width * height }
  var shortSide: Int { min(width, height) }

  /// Mixes eight bytes at a time; equal pixels, and by chance one of 2^64 others, hash equal.
  private static func hash(_ image: Image) -> UInt64 {
    var hash = SplitMix64.mix(UInt64(image.width) << 32 | UInt64(image.height))
    image.pixels.withUnsafeBytes { bytes in
      let words = bytes.count / 8
      for i in 0..<words {
        let word = bytes.loadUnaligned(fromByteOffset: 8 * i, as: UInt64.self)
        hash = (hash ^ word) &* 0x9E37_79B9_7F4A_7C15
        hash ^= hash >> 32
      }
      for byte in bytes[(8 * words)...] { hash = (hash ^ UInt64(byte)) &* 0x0100_0000_01B3 }
    }
    return SplitMix64.mix(hash)
  }

  /// How alike two photos' thumbnails are: the correlation of their channels about their means, 1
  /// for equal ones and for those that differ in brightness and contrast only.
  func correlation(with other: PhotoMeasure) -> Double {
    let count = thumbnail.count / 3
    var covariance = 0
    var variances = (0, 0)
    for channel in 0..<3 {
      var (sumA, sumB) = (0, 0)
      var (squaresA, squaresB, products) = (0, 0, 0)
      for i in 0..<count {
        let (a, b) = (Int(thumbnail[3 * i + channel]), Int(other.thumbnail[3 * i + channel]))
        sumA += a
        sumB += b
        squaresA += a * a
        squaresB += b * b
        products += a * b
      }
      covariance += count * products - sumA * sumB
      variances.0 += count * squaresA - sumA * sumA
      variances.1 += count * squaresB - sumB * sumB
    }
    let scale = (Double(variances.0) * Double(variances.1)).squareRoot()
    return scale > 0 ? Double(covariance) / scale : 0
  }
}
