import Foundation
import ImageIO
import Testing

@Suite(.serialized) struct HostileFilesTests {
  @Test func everyDamagedFileGivesAPictureOrAnError() throws {
    let corpus = try HostileCorpus.make()
    #expect(corpus.count >= 1000)
    var pictures = 0
    for file in corpus {
      do {
        let image = try Image(decoding: file.bytes, name: file.name)
        #expect(image.pixels.count == image.width * image.height * 3)
        #expect(!file.isTruncated, "\(file.name) was read as a whole picture")
        pictures += 1
      } catch {
        #expect(error.file == file.name)
        #expect(!error.detail.isEmpty)
      }
    }
    #expect(pictures > 0 && pictures < corpus.count / 2)
  }

  @Test(arguments: [(60_000, 60_000), (16_384, 16_384), (16_000, 6_000), (1 << 31, 1)])
  func aTinyFileThatClaimsToBeHugeTakesNoMemory(_ width: Int, _ height: Int) throws {
    let png = try PNGChunks(noise(2, 2).pngData()).resized(width, height).bytes
    let jpeg = try jpegClaiming(width, height)
    for bytes in [png, jpeg] {
      let before = try peakVirtualBytes()
      let error = try imageError { () throws(ImageError) in
        _ = try Image(decoding: bytes, name: "bomb")
      }
      #expect(error.reason == .tooLarge || error.reason == .truncated)
      #expect(try peakVirtualBytes() - before < 64 << 20)
    }
  }

  @Test func textBombsAreBounded() throws {
    // 60 MB of spaces in some tens of kilobytes.
    let bytes = try noise(4, 4).pngData(
      text: [("bomb", String(repeating: " ", count: 60 << 20)), ("after", "still read")])
    #expect(bytes.count < 200_000)
    let file = try ImageFile(decoding: bytes, name: "bomb.png")
    #expect(file.text["after"] == "still read")
    #expect((file.text["bomb"]?.utf8.count ?? 0) < 60 << 20)
  }

  @Test func repeatedScansAreBounded() throws {
    // The first scan of a progressive file, again and again.
    let bytes = try Fixture.bytes("jpeg-progressive.jpg")
    let start = try #require(firstMarker(0xDA, in: bytes, from: 0))
    let end = try #require(firstMarker(0xC4, in: bytes, from: start))
    func repeated(_ count: Int) -> [UInt8] {
      let copies = Array(repeating: bytes[start..<end], count: count).joined()
      return Array(bytes[..<end]) + copies + bytes[end...]
    }
    let few = try Image(decoding: repeated(20), name: "few.jpg")
    #expect(try few == Image(decoding: bytes, name: "once.jpg"))
    let error = try imageError { () throws(ImageError) in
      _ = try Image(decoding: repeated(300), name: "scans.jpg")
    }
    #expect(error.reason == .tooLarge)
  }

  private func jpegClaiming(_ width: Int, _ height: Int) throws -> [UInt8] {
    var bytes = try noise(2, 2).jpegData()
    let sof = try #require(firstMarker(0xC0, in: bytes, from: 0))
    let size = [height, width].map { UInt16(clamping: $0) }
    bytes.replaceSubrange(
      sof + 5..<sof + 9, with: size.flatMap { [UInt8($0 >> 8), UInt8($0 & 255)] })
    return bytes
  }

  private func firstMarker(_ code: UInt8, in bytes: [UInt8], from start: Int) -> Int? {
    (start..<bytes.count - 1).first { bytes[$0] == 0xFF && bytes[$0 + 1] == code }
  }

  /// The most address space that this process ever had.
  private func peakVirtualBytes() throws -> Int {
    let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
    let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmPeak:") })
    let words = line.split(whereSeparator: \.isWhitespace)
    let kilobytes = try #require(words.compactMap { Int($0) }.first)
    return kilobytes * 1024
  }
}
