import ComputeCore

/// Animated PNG files: the first frame is an ordinary PNG, the further ones are in chunks that
/// programs without animation pass over.
///
/// Of a frame only the rectangle that differs from the frame before is stored. If all frames are
/// grey, the file is.
/// Source: PNG specification (W3C, third edition), sections 11.3.2 and 13.
public enum AnimatedPNG {
  /// Encodes frames as a file in memory, on all cores.
  ///
  /// - Parameters:
  ///   - frames: at least one, all of one size.
  ///   - secondsPerFrame: 0...65535, stored in milliseconds up to 65 seconds.
  ///   - lastFrameSeconds: how long the last frame stays; `nil` means as long as the others.
  ///   - loops: how often the animation runs; 0 means without end.
  ///   - text: see `Image.pngData(text:level:)`.
  ///   - level: zlib's, 0 (fast, large) to 9 (slow, small).
  /// - Returns: the bytes of the file.
  /// - Throws: `ImageError` when a text entry cannot be stored or memory is short.
  public static func data(
    frames: [Image], secondsPerFrame: Double, lastFrameSeconds: Double? = nil, loops: Int = 0,
    text: [(key: String, value: String)] = [], level: Int = 6
  ) throws(ImageError) -> [UInt8] {
    try encode(
      frames, delays: delays(frames.count, secondsPerFrame, last: lastFrameSeconds), loops: loops,
      text: text, level: level, name: "PNG in memory")
  }

  /// Writes frames to a file, replacing what was there only when all of it is on disk.
  ///
  /// - Parameters:
  ///   - frames: at least one, all of one size.
  ///   - secondsPerFrame: 0...65535, stored in milliseconds up to 65 seconds.
  ///   - lastFrameSeconds: how long the last frame stays; `nil` means as long as the others.
  ///   - loops: how often the animation runs; 0 means without end.
  ///   - text: see `Image.pngData(text:level:)`.
  ///   - level: zlib's, 0 (fast, large) to 9 (slow, small).
  ///   - path: of the file; its folder must exist.
  /// - Throws: `ImageError` naming the file and what went wrong.
  public static func write(
    frames: [Image], secondsPerFrame: Double, lastFrameSeconds: Double? = nil, loops: Int = 0,
    text: [(key: String, value: String)] = [], level: Int = 6, to path: String
  ) throws(ImageError) {
    let delays = delays(frames.count, secondsPerFrame, last: lastFrameSeconds)
    try writeFile(
      encode(frames, delays: delays, loops: loops, text: text, level: level, name: path), to: path)
  }

  /// Seconds each frame is shown.
  private static func delays(_ count: Int, _ seconds: Double, last: Double?) -> [Double] {
    (0..<count).map { $0 == count - 1 ? last ?? seconds : seconds }
  }

  /// Encodes frames that are shown for `delays` seconds, `[frames]`.
  private static func encode(
    _ frames: [Image], delays: [Double], loops: Int, text: [(key: String, value: String)],
    level: Int, name: String
  ) throws(ImageError) -> [UInt8] {
    guard let first = frames.first else { preconditionFailure("AnimatedPNG: no frames") }
    precondition(
      frames.allSatisfy { $0.width == first.width && $0.height == first.height },
      "AnimatedPNG: all frames must be \(first.width)x\(first.height)")
    precondition(loops >= 0, "AnimatedPNG: loops must be at least 0, got \(loops)")
    let regions =
      [FrameRegion(whole: first)]
      + zip(frames, frames.dropFirst()).map { FrameRegion(from: $0, to: $1) }
    let files = try stills(frames, regions, text: text, level: level, name: name)
    return animation(files.map(PNGFile.chunks), regions, delays: delays, loops: loops)
  }

  /// Puts the chunks of the frames' files together.
  private static func animation(
    _ files: [[PNGFile.Chunk]], _ regions: [FrameRegion], delays: [Double], loops: Int
  ) -> [UInt8] {
    var file = PNGFile()
    file.append(files[0].filter { $0.name == "IHDR" })
    file.append("acTL", PNGFile.number(files.count) + PNGFile.number(loops))
    file.append(files[0].filter { $0.name.hasSuffix("Xt") })  // tEXt, zTXt, iTXt
    file.append("fcTL", frameControl(0, regions[0], delay: delays[0]))
    file.append(files[0].filter { $0.name == "IDAT" })
    for index in files.indices.dropFirst() {
      let sequence = 2 * index - 1
      let data = files[index].filter { $0.name == "IDAT" }.flatMap(\.data)
      file.append("fcTL", frameControl(sequence, regions[index], delay: delays[index]))
      file.append("fdAT", PNGFile.number(sequence + 1) + data)
    }
    file.append("IEND", [])
    return file.bytes
  }

  /// Each frame's region as a PNG file of its own, the first one with the text.
  private static func stills(
    _ frames: [Image], _ regions: [FrameRegion], text: [(key: String, value: String)], level: Int,
    name: String
  ) throws(ImageError) -> [[UInt8]] {
    let channels = frames.allSatisfy(\.isGrey) ? 1 : 3
    let results = [Result<[UInt8], ImageError>](unsafeUninitializedCapacity: frames.count) {
      buffer, initialized in
      let places = buffer
      ThreadPool.shared.run(items: frames.count) { index in
        let region = regions[index]
        let result = Result { () throws(ImageError) -> [UInt8] in
          try frames[index].cropped(region.x, region.y, region.width, region.height)
            .pngData(text: index == 0 ? text : [], level: level, channels: channels, name: name)
        }
        places.initializeElement(at: index, to: result)
      }
      initialized = frames.count
    }
    var files: [[UInt8]] = []
    for result in results { files.append(try result.get()) }
    return files
  }

  /// The content of an `fcTL` chunk: the region replaces what is there, and stays.
  private static func frameControl(
    _ sequence: Int, _ region: FrameRegion, delay seconds: Double
  ) -> [UInt8] {
    precondition(
      seconds >= 0 && seconds <= 65_535, "AnimatedPNG: a frame cannot last \(seconds) seconds")
    let units = [1000.0, 100, 10].first { (seconds * $0).rounded() <= 65_535 } ?? 1
    let (keep, replace): (UInt8, UInt8) = (0, 0)
    return [sequence, region.width, region.height, region.x, region.y].flatMap(PNGFile.number)
      + PNGFile.number(Int((seconds * units).rounded())).suffix(2)
      + PNGFile.number(Int(units)).suffix(2) + [keep, replace]
  }
}

/// The rectangle of a frame that is stored.
private struct FrameRegion {
  let x: Int
  let y: Int
  let width: Int
  let height: Int

  init(whole image: Image) { (x, y, width, height) = (0, 0, image.width, image.height) }

  /// The smallest rectangle with all pixels that changed; one pixel if none did, since a frame
  /// cannot be empty.
  init(from previous: Image, to image: Image) {
    let row = image.width * 3
    var (top, bottom, left, right) = (image.height, 0, image.width, 0)
    previous.pixels.withUnsafeBufferPointer { old in
      image.pixels.withUnsafeBufferPointer { new in
        for y in 0..<image.height {
          let bytes = y * row..<(y + 1) * row
          guard let first = bytes.first(where: { old[$0] != new[$0] }) else { continue }
          let last = bytes.last { old[$0] != new[$0] } ?? first
          (top, bottom) = (min(top, y), y + 1)
          left = min(left, (first - y * row) / 3)
          right = max(right, (last - y * row) / 3 + 1)
        }
      }
    }
    let isChanged = bottom > 0
    (x, y) = isChanged ? (left, top) : (0, 0)
    (width, height) = isChanged ? (right - left, bottom - top) : (1, 1)
  }
}
