import Foundation
import ImageIO
import Testing

@Suite struct AnimatedPNGTests {
  /// What the chunks of a file say, every frame decoded by the still pictures' reader.
  struct Animation {
    var frames: [Image] = []
    /// x, y, width, height.
    var regions: [[Int]] = []
    var seconds: [Double] = []
    var loops = -1
    var announcedFrames = -1
    var colourType: UInt8 = 255

    init(_ bytes: [UInt8]) throws {
      let file = PNGChunks(bytes)
      #expect(file.bytes == bytes, "all lengths and checksums are right")
      var header = try #require(file.chunks.first { $0.name == Array("IHDR".utf8) })
      colourType = header.data[9]
      var sequence = 0
      var data: [[UInt8]] = []
      func number(_ data: [UInt8], _ range: Range<Int>) -> Int {
        data[range].reduce(0) { $0 << 8 | Int($1) }
      }
      func expectNext(_ data: [UInt8]) {
        #expect(number(data, 0..<4) == sequence)
        sequence += 1
      }
      for chunk in file.chunks {
        switch String(decoding: chunk.name, as: UTF8.self) {
        case "acTL":
          (announcedFrames, loops) = (number(chunk.data, 0..<4), number(chunk.data, 4..<8))
          #expect(data.isEmpty, "before the first frame")
        case "fcTL":
          expectNext(chunk.data)
          let sizes = [12, 16, 4, 8].map { number(chunk.data, $0..<$0 + 4) }
          regions.append(sizes)
          seconds.append(
            Double(number(chunk.data, 20..<22)) / Double(number(chunk.data, 22..<24)))
          #expect(chunk.data.count == 26 && chunk.data.suffix(2) == [0, 0])
          data.append([])
        case "IDAT":
          #expect(data.count == 1)
          data[0] += chunk.data
        case "fdAT":
          expectNext(chunk.data)
          data[data.count - 1] += chunk.data.dropFirst(4)
        default: break
        }
      }
      for (region, bytes) in zip(regions, data) {
        header.data.replaceSubrange(0..<8, with: bigEndian(region[2]) + bigEndian(region[3]))
        var still = file
        let end = try #require(file.chunks.last)
        let name = Array("IDAT".utf8)
        still.chunks = [
          header, PNGChunks.Chunk(name: name, data: bytes, claimedLength: bytes.count), end,
        ]
        let part = try Image(decoding: still.bytes, name: "frame")
        var frame = frames.last ?? part
        frame.paste(part, region[0], region[1])
        frames.append(frame)
      }
    }
  }

  /// Frames of which each differs from the one before in all places, in one, or nowhere.
  static func frames(isGrey: Bool) -> [Image] {
    var frames = [noise(31, 17, seed: 1), noise(31, 17, seed: 2)]
    if isGrey {
      frames = frames.map { image in
        Image(
          width: 31, height: 17, pixels: (0..<31 * 17 * 3).map { image.pixels[$0 / 3 * 3] })
      }
    }
    var third = frames[1]
    third[4, 7] = RGB(1, 1, 1)
    third[20, 9] = RGB(2, 2, 2)
    return frames + [third, third]
  }

  @Test(arguments: [true, false])
  func chunksHoldEveryFrame(_ isGrey: Bool) throws {
    let frames = Self.frames(isGrey: isGrey)
    let bytes = try AnimatedPNG.data(
      frames: frames, secondsPerFrame: 0.04, lastFrameSeconds: 1.5, loops: 3)
    let animation = try Animation(bytes)
    #expect(animation.frames == frames)
    #expect(animation.announcedFrames == 4 && animation.loops == 3)
    #expect(animation.seconds == [0.04, 0.04, 0.04, 1.5])
    #expect(animation.colourType == (isGrey ? 0 : 2))
    #expect(
      animation.regions == [[0, 0, 31, 17], [0, 0, 31, 17], [4, 7, 17, 3], [0, 0, 1, 1]])
  }

  @Test(arguments: [true, false])
  func readersOfStillPicturesShowTheFirstFrame(_ isGrey: Bool) throws {
    let frames = Self.frames(isGrey: isGrey)
    let text = [(key: "parameters", value: "seed 1"), (key: "Unicode", value: "猫")]
    let bytes = try AnimatedPNG.data(frames: frames, secondsPerFrame: 1, text: text)
    let file = try ImageFile(decoding: bytes, name: "animation")
    #expect(file.image == frames[0] && file.format == .png)
    #expect(file.text == ["parameters": "seed 1", "Unicode": "猫"])
    let animation = try Animation(bytes)
    #expect(animation.loops == 0 && animation.frames == frames)
  }

  @Test func oneColouredPixelMakesAllFramesColoured() throws {
    var frames = Self.frames(isGrey: true)
    frames[3][30, 16] = RGB(1, 2, 3)
    let animation = try Animation(AnimatedPNG.data(frames: frames, secondsPerFrame: 1))
    #expect(animation.colourType == 2 && animation.frames == frames)
    #expect(animation.regions[3] == [30, 16, 1, 1])
  }

  @Test(arguments: [0, 0.001, 1.0 / 30, 65.535, 65.6, 655.35, 7000, 65_535])
  func delaysAreAsFineAsTheyCanBe(_ seconds: Double) throws {
    let frames = [noise(1, 1)]
    let animation = try Animation(AnimatedPNG.data(frames: frames, secondsPerFrame: seconds))
    let unit = seconds <= 65.535 ? 0.001 : seconds <= 655.35 ? 0.01 : seconds <= 6553.5 ? 0.1 : 1
    #expect(abs(animation.seconds[0] - seconds) <= unit / 2 + 1e-9)
  }

  @Test func writingReplacesWholeFiles() throws {
    try withTemporaryFolder { folder in
      let path = "\(folder)/walk.png"
      try noise(3, 3).writePNG(to: path)
      let frames = Self.frames(isGrey: false)
      try AnimatedPNG.write(frames: frames, secondsPerFrame: 0.1, to: path)
      #expect(try Animation([UInt8](Data(contentsOf: URL(fileURLWithPath: path)))).frames == frames)
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["walk.png"])
      let error = try imageError { () throws(ImageError) in
        try AnimatedPNG.write(frames: frames, secondsPerFrame: 1, to: "\(folder)/none/walk.png")
      }
      #expect(error.reason == .cannotWrite && error.file == "\(folder)/none/walk.png")
      let text = try imageError { () throws(ImageError) in
        try AnimatedPNG.write(
          frames: frames, secondsPerFrame: 1, text: [(key: "", value: "x")], to: path)
      }
      #expect(text.reason == .invalidText)
    }
  }

  @Test(.enabled(if: Pillow.python != nil, "needs python3 with Pillow"), arguments: [true, false])
  func pillowReadsEveryFrame(_ isGrey: Bool) throws {
    try withTemporaryFolder { folder in
      let frames = Self.frames(isGrey: isGrey)
      try AnimatedPNG.write(
        frames: frames, secondsPerFrame: 0.04, lastFrameSeconds: 2, loops: 5,
        text: [(key: "Title", value: "walk")], to: "\(folder)/x.png")
      let report = try Pillow.read("\(folder)/x.png", pixels: "\(folder)/x.bin")
      #expect(
        report
          == Pillow.Report(
            frames: 4, width: 31, height: 17, mode: isGrey ? "L" : "RGB", loops: 5,
            milliseconds: [40, 40, 40, 2000], text: ["Title": "walk"]))
      let pixels = try [UInt8](Data(contentsOf: URL(fileURLWithPath: "\(folder)/x.bin")))
      #expect(pixels == frames.flatMap(\.pixels))
    }
  }
}

private func bigEndian(_ value: Int) -> [UInt8] {
  [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) }
}

/// Runs scripts/peers/animated_png.py; `IMGEN_PYTHON` names another Python than python3.
private enum Pillow {
  struct Report: Decodable, Equatable {
    let frames: Int
    let width: Int
    let height: Int
    let mode: String
    let loops: Int
    let milliseconds: [Double]
    let text: [String: String]
  }

  /// A Python that has Pillow.
  static let python: String? = {
    let name = ProcessInfo.processInfo.environment["IMGEN_PYTHON"] ?? "python3"
    return (try? run([name, "-c", "import PIL"])) == nil ? nil : name
  }()

  static func read(_ path: String, pixels: String) throws -> Report {
    let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../../scripts/peers/animated_png.py").standardized.path
    let output = try run([#require(python), script, path, pixels])
    return try JSONDecoder().decode(Report.self, from: output)
  }

  private struct Failure: Error {
    let arguments: [String]
  }

  private static func run(_ arguments: [String]) throws -> Data {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = arguments
    let output = Pipe()
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    try process.run()
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { throw Failure(arguments: arguments) }
    return data
  }
}
