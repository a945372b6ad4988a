import CImageIO

extension Image {
  /// Encodes the picture as a PNG file in memory.
  ///
  /// - Parameters:
  ///   - text: stored in order as `tEXt`, long values as `zTXt`, and as `iTXt` what is not Latin-1.
  ///   - level: zlib's, 0 (fast, large) to 9 (slow, small).
  /// - Returns: the bytes of the file.
  /// - Throws: `ImageError` when a text entry cannot be stored or memory is short.
  public func pngData(
    text: [(key: String, value: String)] = [], level: Int = 6
  ) throws(ImageError) -> [UInt8] {
    try pngData(text: text, level: level, name: "PNG in memory")
  }

  /// Encodes the picture as a JPEG file in memory.
  ///
  /// - Parameter quality: 1...100 on libjpeg's scale; from 90 on colours keep their full
  ///   resolution, below they are stored at half width and height.
  /// - Returns: the bytes of the file.
  /// - Throws: `ImageError` when the picture is too large for JPEG or memory is short.
  public func jpegData(quality: Int = 92) throws(ImageError) -> [UInt8] {
    try jpegData(quality: quality, name: "JPEG in memory")
  }

  /// Writes a PNG file, replacing what was there only when all of it is on disk.
  ///
  /// - Parameters:
  ///   - path: of the file; its folder must exist.
  ///   - text: see `pngData(text:level:)`.
  ///   - level: zlib's, 0 (fast, large) to 9 (slow, small).
  /// - Throws: `ImageError` naming the file and what went wrong.
  public func writePNG(
    to path: String, text: [(key: String, value: String)] = [], level: Int = 6
  ) throws(ImageError) {
    try writeFile(pngData(text: text, level: level, name: path), to: path)
  }

  /// Writes a JPEG file, replacing what was there only when all of it is on disk.
  ///
  /// - Parameters:
  ///   - path: of the file; its folder must exist.
  ///   - quality: see `jpegData(quality:)`.
  /// - Throws: `ImageError` naming the file and what went wrong.
  public func writeJPEG(to path: String, quality: Int = 92) throws(ImageError) {
    try writeFile(jpegData(quality: quality, name: path), to: path)
  }

  /// Encodes the picture; a grey one (`channels` 1) is stored by its red channel.
  func pngData(
    text: [(key: String, value: String)], level: Int, channels: Int = 3, name: String
  ) throws(ImageError) -> [UInt8] {
    precondition((0...9).contains(level), "pngData: level must be 0...9, got \(level)")
    var encoded = EncodedText()
    for (key, value) in text {
      try encoded.append(key: key, value: value, file: name)
    }
    let stored = channels == 1 ? redChannel : pixels
    return try encode(stored, .png, name: name) { out, failure, pixels in
      cio_png_encode(
        out, failure, pixels, UInt32(clamping: width), UInt32(clamping: height), UInt32(channels),
        encoded.bytes, encoded.count, Int32(level))
    }
  }

  private func jpegData(quality: Int, name: String) throws(ImageError) -> [UInt8] {
    precondition((1...100).contains(quality), "jpegData: quality must be 1...100, got \(quality)")
    return try encode(pixels, .jpeg, name: name) { out, failure, pixels in
      cio_jpeg_encode(
        out, failure, pixels, UInt32(clamping: width), UInt32(clamping: height), Int32(quality),
        quality >= 90 ? 1 : 0)
    }
  }

  private func encode(
    _ pixels: [UInt8], _ format: ImageFormat, name: String,
    _ body: (
      UnsafeMutablePointer<cio_bytes>, UnsafeMutablePointer<cio_failure>, UnsafePointer<UInt8>?
    ) -> cio_status
  ) throws(ImageError) -> [UInt8] {
    var out = cio_bytes()
    var failure = cio_failure()
    let status = pixels.withUnsafeBufferPointer { body(&out, &failure, $0.baseAddress) }
    defer { cio_bytes_free(&out) }
    guard status == CIO_OK else {
      let error = ImageError(status, failure, format: format, file: name)
      throw ImageError(file: name, reason: .cannotWrite, detail: error.detail)
    }
    return [UInt8](UnsafeBufferPointer(start: out.data, count: out.size))
  }
}
