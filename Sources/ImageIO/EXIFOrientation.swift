/// How a camera held the picture, as EXIF tag 0x0112 says.
///
/// Source: CIPA DC-008 (EXIF 2.32), section 4.6.4, "Orientation".
public enum EXIFOrientation: Int, CaseIterable, Sendable {
  /// The rows are the picture's rows, from the top.
  case upright = 1
  /// Mirrored left to right.
  case mirrored = 2
  /// Turned by 180 degrees.
  case upsideDown = 3
  /// Mirrored top to bottom.
  case flipped = 4
  /// Mirrored along the diagonal from the top left.
  case transposed = 5
  /// To be turned clockwise by 90 degrees for viewing.
  case needsClockwiseTurn = 6
  /// Mirrored along the diagonal from the top right.
  case transversed = 7
  /// To be turned counter-clockwise by 90 degrees for viewing.
  case needsCounterclockwiseTurn = 8

  /// Whether width and height change places when the orientation is applied.
  public var swapsSides: Bool { rawValue >= 5 }

  /// Reads the orientation from a TIFF block; anything missing or malformed means `upright`.
  init(tiff: [UInt8]) {
    self = Self.read(tiff) ?? .upright
  }

  private static func read(_ tiff: [UInt8]) -> EXIFOrientation? {
    guard tiff.count >= 8 else { return nil }
    let isLittleEndian = tiff[0] == 0x49
    guard tiff[0] == tiff[1], isLittleEndian || tiff[0] == 0x4D else { return nil }
    func integer(at offset: Int, bytes: Int) -> Int? {
      guard offset >= 0, offset <= tiff.count - bytes else { return nil }
      let digits = tiff[offset..<offset + bytes]
      return (isLittleEndian ? Array(digits.reversed()) : Array(digits)).reduce(0) {
        $0 << 8 | Int($1)
      }
    }
    guard let directory = integer(at: 4, bytes: 4),
      let count = integer(at: directory, bytes: 2)
    else { return nil }
    for entry in 0..<count {
      let offset = directory + 2 + 12 * entry
      guard let tag = integer(at: offset, bytes: 2) else { return nil }
      if tag == 0x0112 {
        return integer(at: offset + 8, bytes: 2).flatMap(EXIFOrientation.init(rawValue:))
      }
    }
    return nil
  }
}
