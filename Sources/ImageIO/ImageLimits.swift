/// How much a file may make the decoder spend; every limit is checked before memory is taken.
public struct ImageLimits: Equatable, Hashable, Sendable {
  /// The largest width and the largest height, in pixels.
  public var maxSide: Int
  /// The largest `width * height`.
  public var maxPixels: Int
  /// The largest file, in bytes.
  public var maxFileBytes: Int
  /// What a JPEG of several scans (progressive) may take for its coefficients.
  public var maxDecoderBytes: Int
  /// What libpng may allocate for text and other metadata.
  public var maxMetadataBytes: Int
  /// The largest number of scans in one JPEG; ordinary progressive files have about ten.
  public var maxScans: Int

  /// Makes limits that suit photographs of up to 100 megapixels.
  public init(
    maxSide: Int = 16_384,
    maxPixels: Int = 100_000_000,
    maxFileBytes: Int = 1 << 29,
    maxDecoderBytes: Int = 1 << 30,
    maxMetadataBytes: Int = 1 << 25,
    maxScans: Int = 100
  ) {
    self.maxSide = maxSide
    self.maxPixels = maxPixels
    self.maxFileBytes = maxFileBytes
    self.maxDecoderBytes = maxDecoderBytes
    self.maxMetadataBytes = maxMetadataBytes
    self.maxScans = maxScans
  }

  /// The limits of every reading function that is given none.
  public static let standard = ImageLimits()
}
