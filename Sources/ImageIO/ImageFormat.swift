/// A picture format, told by the first bytes of a file whatever the file is called.
public enum ImageFormat: String, CaseIterable, Sendable {
  /// Portable Network Graphics; read and written.
  case png = "PNG"
  /// JPEG; read and written.
  case jpeg = "JPEG"
  /// WebP; recognised only.
  case webp = "WebP"
  /// GIF; recognised only.
  case gif = "GIF"
  /// Windows bitmap; recognised only.
  case bmp = "BMP"
  /// TIFF, and the camera raw formats built on it; recognised only.
  case tiff = "TIFF"
  /// AVIF; recognised only.
  case avif = "AVIF"
  /// HEIC and HEIF; recognised only.
  case heic = "HEIC"
  /// JPEG XL; recognised only.
  case jpegXL = "JPEG XL"
  /// JPEG 2000; recognised only.
  case jpeg2000 = "JPEG 2000"
  /// Photoshop document; recognised only.
  case psd = "PSD"
  /// Scalable Vector Graphics; recognised only.
  case svg = "SVG"
  /// PDF; recognised only.
  case pdf = "PDF"

  /// Recognises a format by the first bytes of a file; `nil` when they are no picture's.
  public init?(of bytes: [UInt8]) {
    let head = bytes.prefix(64)
    func starts(_ text: String, at offset: Int = 0) -> Bool {
      head.dropFirst(offset).starts(
        with: text.unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) })
    }
    if starts("\u{89}PNG\r\n\u{1A}\n") {
      self = .png
    } else if starts("\u{FF}\u{D8}\u{FF}") {
      self = .jpeg
    } else if starts("GIF8") {
      self = .gif
    } else if starts("RIFF") && starts("WEBP", at: 8) {
      self = .webp
    } else if starts("BM") && bytes.count >= 26 {
      self = .bmp
    } else if starts("II*\0") || starts("MM\0*") {
      self = .tiff
    } else if starts("ftyp", at: 4), let format = Self.isoBrand(head) {
      self = format
    } else if starts("\u{FF}\u{0A}") || starts("\0\0\0\u{0C}JXL ") {
      self = .jpegXL
    } else if starts("\0\0\0\u{0C}jP  ") {
      self = .jpeg2000
    } else if starts("8BPS") {
      self = .psd
    } else if starts("%PDF") {
      self = .pdf
    } else if String(decoding: bytes.prefix(512), as: UTF8.self).contains("<svg") {
      self = .svg
    } else {
      return nil
    }
  }

  /// AVIF and HEIC share a container; the brands in its first box tell them apart.
  private static func isoBrand(_ head: ArraySlice<UInt8>) -> ImageFormat? {
    let brands = String(decoding: head.dropFirst(8), as: UTF8.self)
    if brands.contains("avif") || brands.contains("avis") { return .avif }
    let isHEIF = ["heic", "heix", "hevc", "heim", "heis", "mif1", "msf1"].contains {
      brands.contains($0)
    }
    return isHEIF ? .heic : nil
  }
}
