import CImageIO

/// One text entry of a PNG file: `tEXt`, `zTXt` or `iTXt`.
///
/// Source: PNG specification (W3C, third edition), section 11.3.3.
public struct PNGText: Equatable, Hashable, Sendable {
  /// 1...79 printable Latin-1 characters.
  public let key: String
  /// Any text without NUL characters.
  public let value: String

  /// Reads the text entries of a PNG file, in the file's order; other formats have none.
  public static func read(
    from path: String, limits: ImageLimits = .standard
  ) throws(ImageError) -> [PNGText] {
    let bytes = try readFile(path, maxBytes: limits.maxFileBytes)
    return try Decoded(bytes, name: path, limits: limits, content: CIO_HEADER_AND_TEXT).text
  }

  init(_ text: cio_text) {
    key = text.key.map { latin1(UnsafeRawPointer($0), count: Self.length(of: $0)) } ?? ""
    let bytes = UnsafeRawBufferPointer(start: text.value, count: text.length)
    value =
      text.is_utf8 != 0
      ? String(decoding: bytes, as: UTF8.self)
      : text.value.map { latin1(UnsafeRawPointer($0), count: text.length) } ?? ""
  }

  private static func length(of cString: UnsafePointer<CChar>) -> Int {
    var length = 0
    while cString[length] != 0 { length += 1 }
    return length
  }
}

private func latin1(_ start: UnsafeRawPointer, count: Int) -> String {
  var scalars = String.UnicodeScalarView()
  for byte in UnsafeRawBufferPointer(start: start, count: count) {
    scalars.append(Unicode.Scalar(byte))
  }
  return String(scalars)
}

/// Text entries in the form that `cio_png_encode` takes.
struct EncodedText {
  private(set) var bytes: [UInt8] = []
  private(set) var count = 0

  /// Longer values are compressed.
  private static let compressionThreshold = 4096

  mutating func append(key: String, value: String, file: String) throws(ImageError) {
    let keyBytes = key.unicodeScalars.compactMap { Self.printableLatin1($0) }
    guard keyBytes.count == key.unicodeScalars.count, (1...79).contains(keyBytes.count),
      key.first != " ", key.last != " ", !Self.hasDoubleSpace(keyBytes)
    else {
      throw ImageError(
        file: file, reason: .invalidText,
        detail: "the key \"\(key)\" must be 1 to 79 Latin-1 characters, single spaces only inside")
    }
    guard !value.unicodeScalars.contains("\0") else {
      throw ImageError(
        file: file, reason: .invalidText,
        detail: "the value of \"\(key)\" has a NUL character; remove it")
    }
    let scalars = value.unicodeScalars
    let latin1 = scalars.compactMap {
      Self.isLineOrTab($0) ? UInt8($0.value) : Self.printableLatin1($0)
    }
    let isLatin1 = latin1.count == scalars.count
    let valueBytes = isLatin1 ? latin1 : Array(value.utf8)
    let isLong = valueBytes.count > Self.compressionThreshold
    let kind =
      isLatin1 ? (isLong ? CIO_ZTXT : CIO_TEXT) : (isLong ? CIO_ITXT_COMPRESSED : CIO_ITXT)
    bytes += [UInt8(kind)] + keyBytes + [0] + valueBytes + [0]
    count += 1
  }

  private static func printableLatin1(_ scalar: Unicode.Scalar) -> UInt8? {
    (32...126).contains(scalar.value) || (160...255).contains(scalar.value)
      ? UInt8(scalar.value) : nil
  }

  private static func isLineOrTab(_ scalar: Unicode.Scalar) -> Bool {
    scalar == "\n" || scalar == "\r" || scalar == "\t"
  }

  private static func hasDoubleSpace(_ bytes: [UInt8]) -> Bool {
    zip(bytes, bytes.dropFirst()).contains { $0 == 32 && $1 == 32 }
  }
}
