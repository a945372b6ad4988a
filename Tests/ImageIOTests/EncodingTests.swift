import Foundation
import ImageIO
import Testing

@Suite struct EncodingTests {
  @Test(arguments: [[1, 1], [3, 5], [64, 7], [257, 33]])
  func pngKeepsEveryPixel(_ size: [Int]) throws {
    let image = noise(size[0], size[1])
    for level in [0, 6, 9] {
      #expect(try Image(decoding: image.pngData(level: level), name: "png") == image)
    }
  }

  @Test func jpegIsCloseAndQualityOrdersSizes() throws {
    let image = try Fixture.expected("jpeg-444").resized(to: 90, 70)
    var previousSize = 0
    for quality in [10, 50, 92, 100] {
      let bytes = try image.jpegData(quality: quality)
      #expect(bytes.count > previousSize)
      previousSize = bytes.count
    }
    let decoded = try Image(decoding: image.jpegData(quality: 100), name: "jpeg")
    expectSame(decoded, image, tolerance: 4, "quality 100")
  }

  @Test func chromaIsFullFromQuality90On() throws {
    // The second byte of the first component in SOF0 holds the sampling factors.
    func sampling(_ quality: Int) throws -> UInt8 {
      let bytes = try noise(16, 16).jpegData(quality: quality)
      let sof = try #require(
        bytes.indices.dropLast().first { bytes[$0] == 0xFF && bytes[$0 + 1] == 0xC0 })
      return bytes[sof + 11]
    }
    #expect(try sampling(92) == 0x11)
    #expect(try sampling(90) == 0x11)
    #expect(try sampling(89) == 0x22)
  }

  @Test func writingReplacesWholeFilesAndLeavesNothingBehind() throws {
    try withTemporaryFolder { folder in
      let path = "\(folder)/out.png"
      try noise(8, 8, seed: 1).writePNG(to: path)
      let image = noise(9, 9, seed: 2)
      try image.writePNG(to: path)
      #expect(try Image(contentsOf: path) == image)
      try image.writeJPEG(to: "\(folder)/out.jpg")
      #expect(try ImageFile(contentsOf: "\(folder)/out.jpg").format == .jpeg)
      let names = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
      #expect(names == ["out.jpg", "out.png"])
      for target in ["\(folder)/missing/out.png", folder] {
        let error = try imageError { () throws(ImageError) in try image.writePNG(to: target) }
        #expect(error.reason == .cannotWrite)
        #expect(error.file == target)
      }
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder).count == 2)
    }
  }

  @Test func jpegRefusesWhatItsHeaderCannotSay() throws {
    let error = try imageError { () throws(ImageError) in
      _ = try Image(width: 70_000, height: 1).jpegData()
    }
    #expect(error.reason == .cannotWrite)
  }
}

@Suite struct PNGTextTests {
  @Test func everyKindOfChunkIsRead() throws {
    let expected = try JSONDecoder().decode(
      [String: String].self, from: Data(Fixture.bytes("text.json")))
    #expect(expected.count == 6)
    #expect(try ImageFile(contentsOf: Fixture.path("text.png")).text == expected)
    let entries = try PNGText.read(from: Fixture.path("text.png"))
    let values = Dictionary(uniqueKeysWithValues: entries.map { ($0.key, $0.value) })
    #expect(values == expected)
    #expect(try PNGText.read(from: Fixture.path("jpeg-444.jpg")).isEmpty)
  }

  @Test func whatIsWrittenIsReadBack() throws {
    let text = [
      (key: "parameters", value: "a cat\n\tSteps: 20"), (key: "Latin", value: "à ÿ £"),
      (key: "empty", value: ""), (key: "Unicode", value: "cat 猫 🐈"),
      (key: "long", value: String(repeating: "0123456789 é\n", count: 2000)),
      (key: "long Unicode", value: String(repeating: "č", count: 9000)),
      (key: String(repeating: "k", count: 79), value: "longest key"),
    ]
    let bytes = try noise(4, 4).pngData(text: text)
    #expect(bytes.count < 5000, "long values are compressed")
    let file = try ImageFile(decoding: bytes, name: "text")
    let expected = Dictionary(uniqueKeysWithValues: text.map { ($0.key, $0.value) })
    #expect(file.text == expected)
    let strings = String(decoding: bytes, as: UTF8.self)
    for kind in ["tEXt", "zTXt", "iTXt"] { #expect(strings.contains(kind)) }
  }

  @Test(arguments: [
    "", " key", "key ", "two  spaces", "猫", "a\nb", String(repeating: "k", count: 80),
  ])
  func impossibleKeysAreRefused(_ key: String) throws {
    let error = try imageError { () throws(ImageError) in
      _ = try noise(4, 4).pngData(text: [(key, "value")])
    }
    #expect(error.reason == .invalidText)
  }

  @Test func nulIsRefused() throws {
    let error = try imageError { () throws(ImageError) in
      _ = try noise(4, 4).pngData(text: [("key", "a\0b")])
    }
    #expect(error.reason == .invalidText)
  }
}
