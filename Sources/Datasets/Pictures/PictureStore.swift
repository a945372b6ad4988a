import ImageIO

/// Decoded pictures of one size in one piece of memory, `[count, height, width, 3]`.
///
/// With `crops` above 1 a file gives several pictures: the framed one, then parts chosen by
/// `CropBox.random`. Files that are not larger than the output give one, as do whole pictures with
/// borders.
public struct PictureStore: Sendable {
  /// Width of every picture.
  public let width: Int
  /// Height of every picture.
  public let height: Int
  /// Which of the given files each picture is of, ascending, `[count]`.
  public let sources: [Int]
  /// `[count, height, width, 3]`: red, green, blue, 0...255, rows from the top.
  public let pixels: [UInt8]

  /// Decodes files, on all cores.
  ///
  /// - Parameters:
  ///   - paths: of PNG or JPEG files.
  ///   - width: of every picture.
  ///   - height: of every picture.
  ///   - framing: how a file of another shape is fitted.
  ///   - crops: pictures per file, at least 1.
  ///   - seed: decides with the number of the file which parts are cut out.
  ///   - limits: larger files are refused.
  ///   - progress: is called with the numbers of decoded and of all files.
  /// - Throws: `DatasetError.unreadablePicture` for the first file that cannot be decoded.
  public init(
    _ paths: [String], width: Int, height: Int, framing: Framing = .centerCrop, crops: Int = 1,
    seed: UInt64 = 0, limits: ImageLimits = .standard,
    progress: (_ done: Int, _ total: Int) -> Void = { _, _ in }
  ) throws(DatasetError) {
    precondition(
      width > 0 && height > 0 && crops > 0,
      "PictureStore: size and crops must be positive, got \(width)x\(height) and \(crops)")
    self.width = width
    self.height = height
    let decoded = parallelMap(Array(paths.enumerated()), progress: progress) { file in
      Result { () throws(DatasetError) in
        let image = try decode(file.element, limits: limits)
        return Self.pictures(
          of: image, width: width, height: height, framing: framing, crops: crops,
          seed: stepSeed(seed, file.offset, .crops))
      }
    }
    var pixels: [UInt8] = []
    var sources: [Int] = []
    pixels.reserveCapacity(paths.count * crops * width * height * 3)
    for (source, result) in decoded.enumerated() {
      for picture in try result.get() {
        pixels += picture.pixels
        sources.append(source)
      }
    }
    self.pixels = pixels
    self.sources = sources
  }

  /// Takes over pictures that are in memory, all of one size.
  public init(_ images: [Image]) {
    width = images.first?.width ?? 1
    height = images.first?.height ?? 1
    let (width, height) = (width, height)
    precondition(
      images.allSatisfy { $0.width == width && $0.height == height },
      "PictureStore: all pictures must be \(width)x\(height)")
    sources = Array(images.indices)
    pixels = images.flatMap(\.pixels)
  }

  /// How many pictures there are.
  public var count: Int { sources.count }

  /// The bytes of one picture, `[height, width, 3]`, not copied.
  public func picture(at index: Int) -> ArraySlice<UInt8> {
    pixels[index * pictureSize..<(index + 1) * pictureSize]
  }

  /// A copy of one picture.
  public func image(at index: Int) -> Image {
    Image(width: width, height: height, pixels: Array(picture(at: index)))
  }

  /// A batch as numbers from -1 (black) to 1, `[indices, height, width, 3]`.
  ///
  /// - Parameters:
  ///   - indices: of pictures, repetitions allowed.
  ///   - flips: which of them are mirrored left to right, `[indices]`; none when empty.
  /// - Returns: red, green, blue of each pixel, rows from the top.
  public func floats(_ indices: [Int], flips: [Bool] = []) -> [Float] {
    precondition(
      flips.isEmpty || flips.count == indices.count,
      "PictureStore: \(flips.count) flips for \(indices.count) pictures")
    var result: [Float] = []
    result.reserveCapacity(indices.count * pictureSize)
    for (place, index) in indices.enumerated() {
      let start = index * pictureSize
      appendFloats(
        pixels[start..<start + pictureSize], width: width,
        isFlipped: !flips.isEmpty && flips[place], to: &result)
    }
    return result
  }

  private var pictureSize: Int { width * height * 3 }

  private static func pictures(
    of image: Image, width: Int, height: Int, framing: Framing, crops: Int, seed: UInt64
  ) -> [Image] {
    let framed = framing.apply(to: image, width: width, height: height)
    guard framing == .centerCrop, image.width > width, image.height > height else {
      return [framed]
    }
    return [framed]
      + (1..<crops).map { crop in
        let box = CropBox.random(
          width: image.width, height: image.height, outputWidth: width, outputHeight: height,
          seed: stepSeed(seed, crop, .crops))
        return image.cropped(box.x, box.y, box.width, box.height).resized(to: width, height)
      }
  }
}

/// Decodes a file for a store.
func decode(_ path: String, limits: ImageLimits) throws(DatasetError) -> Image {
  do {
    return try Image(contentsOf: path, limits: limits)
  } catch {
    throw .unreadablePicture(detail: error.description)
  }
}

/// Appends a picture `[height, width, 3]` as numbers from -1 to 1, mirrored left to right or not.
func appendFloats(
  _ picture: ArraySlice<UInt8>, width: Int, isFlipped: Bool, to result: inout [Float]
) {
  guard isFlipped else {
    result += picture.lazy.map { Float($0) / 127.5 - 1 }
    return
  }
  for rowStart in stride(from: picture.startIndex, to: picture.endIndex, by: width * 3) {
    for x in (0..<width).reversed() {
      let i = rowStart + 3 * x
      result.append(Float(picture[i]) / 127.5 - 1)
      result.append(Float(picture[i + 1]) / 127.5 - 1)
      result.append(Float(picture[i + 2]) / 127.5 - 1)
    }
  }
}
