import ComputeCore
import ImageIO

/// A picture to begin from, and which part of it is drawn anew.
public struct InitialPicture: Sendable {
  /// The picture; brought to the size that is drawn without keeping its proportions.
  public var picture: Image
  /// White where something new is drawn, black where the picture stays; of any size.
  public var mask: Image?
  /// The part of the steps that is done, above 0 up to 1, which leaves nothing of the picture but
  /// what the mask keeps.
  public var strength: Double

  /// A picture with its mask.
  public init(_ picture: Image, mask: Image? = nil, strength: Double) {
    (self.picture, self.mask, self.strength) = (picture, mask, strength)
  }

  /// The picture as numbers in [-1, 1], `[1, height, width, 3]`.
  func pixels(width: Int, height: Int) -> Tensor {
    let scaled = picture.resized(to: width, height)
    return Tensor(scaled.floats(), [1, height, width, 3])
  }

  /// The mask as zeros and ones, `[1, height, width, 1]`: one where it is at least half white.
  ///
  /// Grey levels are Pillow's (ITU-R 601-2 with 16 bits).
  func maskPixels(width: Int, height: Int) -> Tensor? {
    guard let mask else { return nil }
    let pixels = mask.resized(to: width, height).pixels.map(Int.init)
    let values = stride(from: 0, to: pixels.count, by: 3).map { place -> Float in
      let grey = pixels[place] * 19595 + pixels[place + 1] * 38470 + pixels[place + 2] * 7471
      return (grey + 32768) >> 16 >= 128 ? 1 : 0
    }
    return Tensor(values, [1, height, width, 1])
  }
}
