import ImageIO

extension PictureFolder {
  /// The largest size that is chosen for pictures when none is asked for.
  static let largestChosenSize = 64

  /// Decodes one split, on all cores; see `PictureSet.load` for the arguments.
  func read(
    _ split: PictureSet.Split, size: Int?, channels: Int?, limits: ImageLimits,
    progress: (_ done: Int, _ total: Int) -> Void
  ) throws(DatasetError) -> PictureSet {
    let chosen = try entries(split)
    let side = size ?? chosenSize(limits)
    let decoded = parallelMap(chosen, progress: progress) { entry in
      Result { () throws(ImageError) -> Image in
        try Image(contentsOf: entry.file.path, limits: limits).resizedToFill(side, side)
      }
    }
    var pixels: [UInt8] = []
    var labels: [Int] = []
    var skipped: [String] = []
    var isGrey = true
    pixels.reserveCapacity(chosen.count * side * side * 3)
    let numbers = Dictionary(uniqueKeysWithValues: zip(classNames, classNames.indices))
    for (entry, result) in zip(chosen, decoded) {
      switch result {
      case .success(let image):
        pixels += image.pixels
        isGrey = isGrey && image.isGrey
        labels += entry.className.flatMap { numbers[$0] }.map { [$0] } ?? []
      case .failure(let error):
        skipped.append(Self.reason(error, entry.file))
      }
    }
    guard !pixels.isEmpty else {
      throw .pictureSet(.noneReadable(path: path, reasons: skipped))
    }
    let set = PictureSet(
      name: name, height: side, width: side, channels: 3, pixels: pixels,
      labels: classNames.isEmpty ? nil : labels, classNames: classNames, skipped: skipped)
    return (channels ?? (isGrey ? 1 : 3)) == 1 ? set.withChannels(1) : set
  }

  /// The median short side of some pictures of all splits, within bounds that suit networks.
  private func chosenSize(_ limits: ImageLimits) -> Int {
    let all = train + (test ?? [])
    let sides = stride(from: 0, to: all.count, by: max(1, all.count / 64)).compactMap { index in
      (try? ImageHeader(contentsOf: all[index].file.path, limits: limits)).map {
        min($0.width, $0.height)
      }
    }.sorted()
    guard !sides.isEmpty else { return Self.largestChosenSize }
    let side = min(Self.largestChosenSize, sides[sides.count / 2])
    return side < 16 ? side : side / 4 * 4
  }

  /// What is wrong with a file, under its name in the folder.
  private static func reason(_ error: ImageError, _ file: ListedFile) -> String {
    let words = error.description
    return words.hasPrefix(file.path) ? file.name + words.dropFirst(file.path.count) : words
  }
}
