import Foundation
import ImageIO

/// 64 bits that look alike for pictures that look alike.
///
/// The brightness, scaled to 32 x 32, is cosine transformed; each bit tells whether one of the
/// lowest 8 x 8 frequencies is above their median. Source: Zauner 2010, "Implementation and
/// benchmarking of perceptual image hash functions", section 3.2.1; the bits are those of the
/// `phash` of Python's ImageHash, except for rounding in the scaling.
public struct PerceptualHash: Equatable, Hashable, Sendable {
  /// The bits row by row, the lowest frequency in the highest bit.
  public let bits: UInt64

  /// Takes over computed bits.
  public init(bits: UInt64) { self.bits = bits }

  /// Hashes a picture of any size.
  public init(_ image: Image) {
    let luma = Luma(image.resized(to: Self.side, Self.side))
    let low = Self.lowFrequencies(luma.values.map(Double.init))
    let sorted = low.sorted()
    let median = (sorted[31] + sorted[32]) / 2
    bits = low.reduce(0) { $0 << 1 | ($1 > median ? 1 : 0) }
  }

  /// In how many of the 64 bits two hashes differ.
  public func distance(to other: PerceptualHash) -> Int { (bits ^ other.bits).nonzeroBitCount }

  private static let side = 32
  private static let kept = 8

  /// `cos(pi * (2x + 1) * u / 64)`, `[u, x]`.
  private static let cosines = (0..<kept * side).map { i in
    cos(.pi * Double((2 * (i % side) + 1) * (i / side)) / Double(2 * side))
  }

  /// The 8 x 8 lowest frequencies of the two-dimensional DCT-II of `[32, 32]`, not normalised.
  static func lowFrequencies(_ pixels: [Double]) -> [Double] {
    var rows = [Double](repeating: 0, count: side * kept)  // [y, u]
    for y in 0..<side {
      for u in 0..<kept {
        rows[y * kept + u] = (0..<side).reduce(0) {
          $0 + pixels[y * side + $1] * cosines[u * side + $1]
        }
      }
    }
    return (0..<kept * kept).map { i in
      let (v, u) = i.quotientAndRemainder(dividingBy: kept)
      return (0..<side).reduce(0) { $0 + rows[$1 * kept + u] * cosines[v * side + $1] }
    }
  }
}
