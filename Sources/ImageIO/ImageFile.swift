import CImageIO

/// A picture file as it was read: the upright picture and what the file says about it.
public struct ImageFile: Sendable {
  /// The decoded picture, turned upright.
  public let image: Image
  /// The text chunks of a PNG; of several with one key the last.
  public let text: [String: String]
  /// The format of the bytes, which need not be what the file's name says.
  public let format: ImageFormat
  /// The orientation that the file asked for; it has been applied to `image`.
  public let exifOrientation: EXIFOrientation

  /// Reads a PNG or JPEG file.
  ///
  /// - Parameters:
  ///   - path: of a regular file; its extension does not matter.
  ///   - limits: larger files are refused before memory is taken for their pixels.
  /// - Throws: `ImageError` naming the file and what is wrong with it; a file that ends early or is
  ///   damaged is an error, never a partly grey picture.
  public init(contentsOf path: String, limits: ImageLimits = .standard) throws(ImageError) {
    try self.init(
      decoding: readFile(path, maxBytes: limits.maxFileBytes), name: path, limits: limits)
  }

  /// Decodes the bytes of a PNG or JPEG file.
  ///
  /// - Parameters:
  ///   - bytes: the whole file.
  ///   - name: what errors call it.
  ///   - limits: larger pictures are refused before memory is taken for their pixels.
  /// - Throws: `ImageError`, as `init(contentsOf:limits:)` does.
  public init(
    decoding bytes: [UInt8], name: String, limits: ImageLimits = .standard
  ) throws(ImageError) {
    let decoded = try Decoded(bytes, name: name, limits: limits, content: CIO_EVERYTHING)
    text = Dictionary(decoded.text.map { ($0.key, $0.value) }) { _, last in last }
    format = decoded.format
    exifOrientation = decoded.orientation
    image = Image(width: decoded.width, height: decoded.height, pixels: decoded.pixels)
      .oriented(decoded.orientation)
  }
}

/// What a picture file says about itself, read without decoding its pixels.
public struct ImageHeader: Sendable {
  /// The format of the bytes.
  public let format: ImageFormat
  /// Width of the upright picture.
  public let width: Int
  /// Height of the upright picture.
  public let height: Int
  /// The orientation that the file asks for; `width` and `height` have it applied.
  public let exifOrientation: EXIFOrientation

  /// Reads the header of a PNG or JPEG file; damage behind it goes unseen.
  public init(contentsOf path: String, limits: ImageLimits = .standard) throws(ImageError) {
    let bytes = try readFile(path, maxBytes: limits.maxFileBytes)
    let decoded = try Decoded(bytes, name: path, limits: limits, content: CIO_HEADER_AND_TEXT)
    format = decoded.format
    exifOrientation = decoded.orientation
    width = exifOrientation.swapsSides ? decoded.height : decoded.width
    height = exifOrientation.swapsSides ? decoded.width : decoded.height
  }
}

extension Image {
  /// Reads a PNG or JPEG file; see `ImageFile.init(contentsOf:limits:)`.
  public init(contentsOf path: String, limits: ImageLimits = .standard) throws(ImageError) {
    self = try ImageFile(contentsOf: path, limits: limits).image
  }

  /// Decodes the bytes of a PNG or JPEG file; see `ImageFile.init(decoding:name:limits:)`.
  public init(
    decoding bytes: [UInt8], name: String, limits: ImageLimits = .standard
  ) throws(ImageError) {
    self = try ImageFile(decoding: bytes, name: name, limits: limits).image
  }
}

/// A decoder's result in Swift's memory, before the orientation is applied.
struct Decoded {
  let format: ImageFormat
  let width: Int
  let height: Int
  let pixels: [UInt8]
  let text: [PNGText]
  let orientation: EXIFOrientation

  init(
    _ bytes: [UInt8], name: String, limits: ImageLimits, content: cio_content
  ) throws(ImageError) {
    format = try supportedFormat(of: bytes, name: name)
    var decoded = cio_image()
    var failure = cio_failure()
    var cLimits = cio_limits(limits)
    let decode = format == .png ? cio_png_decode : cio_jpeg_decode
    let status = bytes.withUnsafeBufferPointer {
      decode(&decoded, &failure, $0.baseAddress, $0.count, &cLimits, content)
    }
    defer { cio_image_free(&decoded) }
    guard status == CIO_OK else {
      throw ImageError(status, failure, format: format, file: name)
    }
    width = Int(decoded.width)
    height = Int(decoded.height)
    pixels = [UInt8](
      UnsafeBufferPointer(
        start: decoded.pixels, count: content == CIO_EVERYTHING ? width * height * 3 : 0))
    text = UnsafeBufferPointer(start: decoded.text, count: decoded.text_count).map(PNGText.init)
    let exif = [UInt8](UnsafeBufferPointer(start: decoded.exif, count: decoded.exif_size))
    orientation = EXIFOrientation(tiff: exif)
  }
}

/// Tells PNG and JPEG by content, and refuses the rest with a way out.
private func supportedFormat(of bytes: [UInt8], name: String) throws(ImageError) -> ImageFormat {
  guard let format = ImageFormat(of: bytes) else {
    let found = bytes.isEmpty ? "the file is empty" : "the first bytes are of no known format"
    throw ImageError(
      file: name, reason: .notAnImage, detail: "\(found); a PNG or JPEG file is needed")
  }
  guard format == .png || format == .jpeg else {
    throw ImageError(
      file: name, reason: .unsupportedFormat(format),
      detail: "this is a \(format.rawValue) file; convert it to PNG or JPEG first")
  }
  return format
}

extension ImageError {
  /// Translates a failure of the C decoders and encoders.
  init(_ status: cio_status, _ failure: cio_failure, format: ImageFormat, file: String) {
    let message = withUnsafeBytes(of: failure.message) {
      String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
    }
    switch status {
    case CIO_TRUNCATED:
      self.init(file: file, reason: .truncated, detail: "\(message); copy or export it again")
    case CIO_TOO_LARGE:
      self.init(file: file, reason: .tooLarge, detail: message)
    case CIO_UNSUPPORTED:
      self.init(
        file: file, reason: .unsupportedFormat(format),
        detail: "\(message); save it as an ordinary 8-bit \(format.rawValue)")
    case CIO_NO_MEMORY:
      self.init(file: file, reason: .tooLarge, detail: message)
    default:
      self.init(file: file, reason: .corrupt, detail: "\(format.rawValue) decoder: \(message)")
    }
  }
}

extension cio_limits {
  fileprivate init(_ limits: ImageLimits) {
    self.init(
      max_side: UInt32(clamping: limits.maxSide),
      max_pixels: UInt64(clamping: limits.maxPixels),
      max_decoder_bytes: UInt64(clamping: limits.maxDecoderBytes),
      max_metadata_bytes: UInt64(clamping: limits.maxMetadataBytes),
      max_scans: UInt32(clamping: limits.maxScans))
  }
}
