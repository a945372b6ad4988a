import ComputeCore
import ImageIO

extension PictureSet {
  /// The pictures cut to their largest centred square and scaled to `size`x`size` (Lanczos).
  public func resized(to size: Int) -> PictureSet {
    precondition(size > 0, "PictureSet: size must be at least 1, got \(size)")
    guard height != size || width != size else { return self }
    return mapped(size: size, channels: channels) {
      Datasets.pixels(of: image($0).resizedToFill(size, size), channels: channels)
    }
  }

  /// The pictures with one channel (grey) or three.
  ///
  /// Grey is the luma of ITU-R BT.601, rounded as Pillow's mode "L" does.
  public func withChannels(_ channels: Int) -> PictureSet {
    precondition(channels == 1 || channels == 3, "PictureSet: channels must be 1 or 3")
    guard channels != self.channels else { return self }
    return mapped(size: nil, channels: channels) { index in
      Datasets.pixels(of: image(index), channels: channels)
    }
  }

  /// A set of what `transform` makes of each picture, which runs on all cores.
  private func mapped(
    size: Int?, channels: Int, _ transform: (Int) -> [UInt8]
  ) -> PictureSet {
    let (height, width) = (size ?? self.height, size ?? self.width)
    let each = height * width * channels
    let bytes = [UInt8](unsafeUninitializedCapacity: count * each) { target, initialized in
      let places = target
      parallelChunks(count, chunk: 64) { range in
        for index in range {
          let bytes = transform(index)
          for i in 0..<each { places.initializeElement(at: index * each + i, to: bytes[i]) }
        }
      }
      initialized = count * each
    }
    return PictureSet(
      name: name, height: height, width: width, channels: channels, pixels: bytes, labels: labels,
      classNames: classNames, skipped: skipped)
  }
}

/// The bytes of a picture, all three channels or their luma.
func pixels(of image: Image, channels: Int) -> [UInt8] {
  guard channels == 1 else { return image.pixels }
  return image.pixels.withUnsafeBufferPointer { rgb in
    (0..<image.width * image.height).map { i in
      let weighted = UInt32(rgb[3 * i]) * 19_595 + UInt32(rgb[3 * i + 1]) * 38_470
      return UInt8((weighted + UInt32(rgb[3 * i + 2]) * 7_471 + 32_768) >> 16)
    }
  }
}
