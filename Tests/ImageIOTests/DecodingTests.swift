import Foundation
import ImageIO
import Testing

@Suite struct DecodingTests {
  @Test func everyPNGKindEqualsPillow() throws {
    let names = try Fixture.index().png
    #expect(names.count == 40)
    for name in names {
      let file = try ImageFile(contentsOf: Fixture.path("\(name).png"))
      expectSame(file.image, try Fixture.expected(name), name)
      #expect(file.format == .png)
    }
  }

  /// Pillow decodes with libjpeg-turbo too, whose default integer arithmetic is exact everywhere.
  @Test func everyJPEGKindEqualsPillow() throws {
    for name in try Fixture.index().jpeg {
      let file = try ImageFile(contentsOf: Fixture.path("\(name).jpg"))
      expectSame(file.image, try Fixture.expected(name), name)
      #expect(file.format == .jpeg)
    }
  }

  @Test func everyOrientationIsAppliedAndReported() throws {
    for (index, name) in try Fixture.index().exif.enumerated() {
      let path = Fixture.path("\(name).jpg")
      let file = try ImageFile(contentsOf: path)
      expectSame(file.image, try Fixture.expected(name), name)
      #expect(file.exifOrientation.rawValue == index + 1)
      let header = try ImageHeader(contentsOf: path)
      #expect(header.width == file.image.width && header.height == file.image.height)
    }
    let file = try ImageFile(contentsOf: Fixture.path("exif-png.png"))
    expectSame(file.image, try Fixture.expected("exif-png"), "exif-png")
    #expect(file.exifOrientation == .needsCounterclockwiseTurn)
  }

  @Test func contentDecidesNotTheExtension() throws {
    try withTemporaryFolder { folder in
      let path = "\(folder)/holiday.png"
      try Data(Fixture.bytes("jpeg-444.jpg")).write(to: URL(fileURLWithPath: path))
      #expect(try ImageFile(contentsOf: path).format == .jpeg)
    }
  }

  @Test(arguments: [
    ("RIFF\u{10}\0\0\0WEBPVP8 ", ImageFormat.webp), ("GIF89a\u{1}\0\u{1}\0", .gif),
    ("BM" + String(repeating: "\0", count: 30), .bmp), ("II*\0\u{8}\0\0\0", .tiff),
    ("MM\0*\0\0\0\u{8}", .tiff), ("\0\0\0\u{1C}ftypavif\0\0\0\0mif1avif", .avif),
    ("\0\0\0\u{1C}ftypheic\0\0\0\0mif1heic", .heic), ("\0\0\0\u{1C}ftypmif1\0\0\0\0avif", .avif),
    ("\0\0\0\u{C}JXL \r\n", .jpegXL), ("8BPS\0\u{1}", .psd), ("%PDF-1.7", .pdf),
    ("<?xml version=\"1.0\"?><svg xmlns=\"\">", .svg),
  ])
  func otherFormatsAreNamed(_ head: String, _ format: ImageFormat) throws {
    let bytes = head.unicodeScalars.map { UInt8($0.value) }
    let error = try imageError { () throws(ImageError) in
      _ = try Image(decoding: bytes, name: "photo.png")
    }
    #expect(error.reason == .unsupportedFormat(format))
    #expect(error.description.contains(format.rawValue))
    #expect(error.description.contains("photo.png") && error.description.contains("convert"))
  }

  @Test func whatIsNoPictureIsRefused() throws {
    for bytes in [[], Array("hello, world".utf8), [UInt8](repeating: 0, count: 64), [0xFF]] {
      let error = try imageError { () throws(ImageError) in
        _ = try Image(decoding: bytes, name: "notes.txt")
      }
      #expect(error.reason == .notAnImage)
    }
  }

  @Test func whatCannotBeReadIsRefused() throws {
    try withTemporaryFolder { folder in
      let pipe = "\(folder)/pipe"
      #expect(mkfifo(pipe, 0o600) == 0)
      for path in [folder, "\(folder)/missing.png", pipe, "/dev/zero"] {
        let error = try imageError(path) { () throws(ImageError) in
          _ = try Image(contentsOf: path)
        }
        #expect(error.reason == .cannotRead)
        #expect(error.file == path)
      }
    }
  }

  @Test func limitsAreParameters() throws {
    let png = try noise(20, 10).pngData()
    let jpeg = try noise(20, 10).jpegData()
    for bytes in [png, jpeg] {
      for limits in [ImageLimits(maxSide: 19), ImageLimits(maxPixels: 199)] {
        let error = try imageError { () throws(ImageError) in
          _ = try Image(decoding: bytes, name: "big", limits: limits)
        }
        #expect(error.reason == .tooLarge)
        #expect(error.detail.contains("20x10"))
      }
      _ = try Image(
        decoding: bytes, name: "fits", limits: ImageLimits(maxSide: 20, maxPixels: 200))
    }
    let error = try imageError { () throws(ImageError) in
      _ = try Image(
        contentsOf: Fixture.path("text.png"), limits: ImageLimits(maxFileBytes: 100))
    }
    #expect(error.reason == .tooLarge)
  }

  @Test func progressiveFilesAreBoundInScansAndMemory() throws {
    let bytes = try Fixture.bytes("jpeg-progressive.jpg")
    for limits in [ImageLimits(maxDecoderBytes: 1000), ImageLimits(maxScans: 3)] {
      let error = try imageError { () throws(ImageError) in
        _ = try Image(decoding: bytes, name: "slow.jpg", limits: limits)
      }
      #expect(error.reason == .tooLarge)
    }
  }
}
