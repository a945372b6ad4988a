import ImageIO

/// Photos kept somewhat larger than the training size, from which every sample cuts another part.
///
/// A part is scaled with the antialiased Lanczos kernel. Photos are kept whole, but of panoramas
/// only the middle, up to `maxAspect`; they are never enlarged.
public struct CropStore: Sendable {
  /// Width of every crop.
  public let width: Int
  /// Height of every crop.
  public let height: Int
  /// The kept photos, in the order of the files.
  public let photos: [Image]

  /// The longest side that is kept, over the short one.
  public static let maxAspect = 2.0

  /// Decodes files, on all cores.
  ///
  /// - Parameters:
  ///   - paths: of PNG or JPEG files.
  ///   - width: of every crop.
  ///   - height: of every crop.
  ///   - reserve: how much larger than a crop the photos are kept, at least 1.
  ///   - limits: larger files are refused.
  ///   - progress: is called with the numbers of decoded and of all files.
  /// - Throws: `DatasetError.unreadablePicture` for the first file that cannot be decoded.
  public init(
    _ paths: [String], width: Int, height: Int, reserve: Double = 2,
    limits: ImageLimits = .standard, progress: (_ done: Int, _ total: Int) -> Void = { _, _ in }
  ) throws(DatasetError) {
    precondition(
      width > 0 && height > 0 && reserve >= 1,
      "CropStore: size must be positive and reserve at least 1, got \(width)x\(height), \(reserve)")
    self.width = width
    self.height = height
    let decoded = parallelMap(paths, progress: progress) { path in
      Result { () throws(DatasetError) in
        Self.reduced(
          try decode(path, limits: limits), width: Int(Double(width) * reserve),
          height: Int(Double(height) * reserve))
      }
    }
    var photos: [Image] = []
    photos.reserveCapacity(paths.count)
    for result in decoded { photos.append(try result.get()) }
    self.photos = photos
  }

  /// How many photos there are.
  public var count: Int { photos.count }

  /// The centred part of a photo, `width`x`height`; for a picture that is always the same.
  public func centerCrop(of index: Int) -> Image { photos[index].resizedToFill(width, height) }

  /// A random part of a photo, `width`x`height`.
  ///
  /// - Parameters:
  ///   - index: of the photo.
  ///   - seed: such as `stepSeed(seed, sample, .crops)`; it decides alone.
  ///   - minScale: sides of the smallest part over those of the largest one, above 0, at most 1.
  /// - Returns: the scaled part.
  public func randomCrop(of index: Int, seed: UInt64, minScale: Double = 0.5) -> Image {
    let photo = photos[index]
    let box = CropBox.random(
      width: photo.width, height: photo.height, outputWidth: width, outputHeight: height,
      minScale: minScale, seed: seed)
    return photo.cropped(box.x, box.y, box.width, box.height).resized(to: width, height)
  }

  /// A batch of random parts as numbers from -1 (black) to 1, `[indices, height, width, 3]`.
  ///
  /// The crops are cut on all cores.
  ///
  /// - Parameters:
  ///   - indices: of photos, repetitions allowed.
  ///   - seeds: of the crops, `[indices]`.
  ///   - flips: which of them are mirrored left to right, `[indices]`; none when empty.
  ///   - minScale: sides of the smallest part over those of the largest one, above 0, at most 1.
  /// - Returns: red, green, blue of each pixel, rows from the top.
  public func floats(
    _ indices: [Int], seeds: [UInt64], flips: [Bool] = [], minScale: Double = 0.5
  ) -> [Float] {
    precondition(
      seeds.count == indices.count && (flips.isEmpty || flips.count == indices.count),
      "CropStore: \(seeds.count) seeds, \(flips.count) flips for \(indices.count) photos")
    let crops = parallelMap(Array(zip(indices, seeds))) { index, seed in
      randomCrop(of: index, seed: seed, minScale: minScale)
    }
    var result: [Float] = []
    result.reserveCapacity(indices.count * width * height * 3)
    for (place, crop) in crops.enumerated() {
      appendFloats(
        crop.pixels[...], width: width, isFlipped: !flips.isEmpty && flips[place], to: &result)
    }
    return result
  }

  /// Cuts off the ends of a panorama, then scales down until one more step would be below the size.
  private static func reduced(_ image: Image, width: Int, height: Int) -> Image {
    let aspect = Double(image.width) / Double(image.height)
    let kept = min(maxAspect, max(1 / maxAspect, aspect))
    let middle = kept == aspect ? image : image.centerCropped(aspect: kept)
    let scale = max(
      Double(width) / Double(middle.width), Double(height) / Double(middle.height))
    guard scale < 1 else { return middle }
    return middle.resized(
      to: max(1, Int((Double(middle.width) * scale).rounded())),
      max(1, Int((Double(middle.height) * scale).rounded())))
  }
}
