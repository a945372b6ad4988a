import ImageIO

extension PictureSet {
  /// A copy of one picture; a grey one has equal channels.
  public func image(_ index: Int) -> Image {
    precondition(index >= 0 && index < count, "PictureSet: no picture \(index) among \(count)")
    let bytes = pixels[index * pictureSize..<(index + 1) * pictureSize]
    return Image(width: width, height: height, pixels: rgb(bytes, channels: channels))
  }

  /// The numbers of the pictures of one class, ascending; none without labels.
  public func indices(ofClass label: Int) -> [Int] {
    guard let labels else { return [] }
    return labels.indices.filter { labels[$0] == label }
  }

  /// A set of the pictures at `indices`, in that order, with all class names.
  public func subset(_ indices: some Collection<Int>) -> PictureSet {
    precondition(
      indices.allSatisfy { $0 >= 0 && $0 < count },
      "PictureSet: an index is outside of 0..<\(count)")
    var chosen: [UInt8] = []
    chosen.reserveCapacity(indices.count * pictureSize)
    for index in indices { chosen += pixels[index * pictureSize..<(index + 1) * pictureSize] }
    return PictureSet(
      name: name, height: height, width: width, channels: channels, pixels: chosen,
      labels: labels.map { all in indices.map { all[$0] } }, classNames: classNames,
      skipped: skipped)
  }

  /// A set of the first `count` pictures, or of all if there are fewer.
  public func prefix(_ count: Int) -> PictureSet {
    precondition(count >= 0, "PictureSet: cannot take \(count) pictures")
    return count >= self.count ? self : subset(0..<count)
  }

  /// This set followed by the pictures of another one of the same shape and classes.
  func appending(_ other: PictureSet) -> PictureSet {
    precondition(
      (other.height, other.width, other.channels) == (height, width, channels)
        && other.classNames == classNames && (other.labels == nil) == (labels == nil),
      "PictureSet: the sets do not fit each other")
    return PictureSet(
      name: name, height: height, width: width, channels: channels, pixels: pixels + other.pixels,
      labels: labels.map { $0 + (other.labels ?? []) }, classNames: classNames,
      skipped: skipped + other.skipped)
  }
}

/// Red, green, blue of pixels that may be grey.
func rgb(_ pixels: ArraySlice<UInt8>, channels: Int) -> [UInt8] {
  precondition(channels == 1 || channels == 3, "PictureSet: no picture of \(channels) channels")
  guard channels == 1 else { return Array(pixels) }
  return [UInt8](unsafeUninitializedCapacity: pixels.count * 3) { target, initialized in
    for (i, level) in pixels.enumerated() {
      target[3 * i] = level
      target[3 * i + 1] = level
      target[3 * i + 2] = level
    }
    initialized = pixels.count * 3
  }
}
