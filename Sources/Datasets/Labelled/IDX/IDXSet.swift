import Foundation

/// A set in IDX files: a training and a test part, or one part that is split when it is read.
struct IDXSet: Sendable {
  /// What to call the set.
  let name: String
  /// The files, first those to learn from; the second part is absent from sets of one file.
  let parts: [IDXPart]
  /// Names of the classes where they are known.
  let classNames: [String]?

  /// The set in a folder; `nil` when it holds no IDX files of pictures.
  ///
  /// `classes.txt` names the classes, one a line. Without it they are those of Fashion-MNIST if the
  /// folder or the one around it is named so, else the numbers.
  init?(folder: String) throws(DatasetError) {
    guard let (train, test) = try IDXNames.parts(in: folder) else { return nil }
    name = lastComponent(folder)
    parts = [train, test].compactMap { $0 }
    classNames = try Self.names(beside: folder)
  }

  /// The set of one file of pictures, with the labels that lie beside it.
  init(file: String) throws(DatasetError) {
    let folder = file.lastIndex(of: "/").map { String(file[..<$0]) } ?? "."
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    let labels = IDXNames.labels(ofImages: lastComponent(file), among: names)
    name = lastComponent(file).split(separator: ".").first.map(String.init) ?? file
    parts = [IDXPart(images: file, labels: labels.map { "\(folder)/\($0)" })]
    classNames = try Self.names(beside: folder)
  }

  /// A set whose files and classes are known.
  init(name: String, parts: [IDXPart], classNames: [String]) {
    (self.name, self.parts, self.classNames) = (name, parts, classNames)
  }

  /// Reads one split.
  func read(_ split: PictureSet.Split) throws(DatasetError) -> PictureSet {
    let classes = if let classNames { classNames } else { try numberNames() }
    switch (split, parts.count) {
    case (.train, 2): return try read(parts[0], classes)
    case (.test, 2): return try read(parts[1], classes)
    case (_, 1):
      let whole = try read(parts[0], classes)
      let places = HeldOut.places((0..<whole.count).map { String($0) }, split)
      guard !places.isEmpty else {
        throw .pictureSet(.noTestPictures(path: parts[0].images, found: whole.count))
      }
      return places.count == whole.count ? whole : whole.subset(places)
    default: return try whole(classes)
    }
  }

  private func whole(_ classes: [String]) throws(DatasetError) -> PictureSet {
    let (train, test) = (try read(parts[0], classes), try read(parts[1], classes))
    let shapes = [train, test].map { [$0.height, $0.width, $0.channels] }
    guard shapes[0] == shapes[1] else {
      throw .pictureSet(
        .wrongShape(
          path: parts[1].images, found: "pictures of the shape \(shapes[1])",
          expected: "\(shapes[0]), as in \(parts[0].images)"))
    }
    guard (train.labels == nil) == (test.labels == nil) else {
      throw .pictureSet(
        .missingFiles(
          path: parts[train.labels == nil ? 0 : 1].images, names: ["the file of labels"]))
    }
    return train.appending(test)
  }

  private func read(_ part: IDXPart, _ classes: [String]) throws(DatasetError) -> PictureSet {
    let (images, labels) = try part.read()
    if let labels, let index = labels.firstIndex(where: { $0 >= classes.count }) {
      throw .pictureSet(
        .unknownLabel(
          path: part.labels ?? part.images, index: index, label: labels[index],
          classes: classes.count))
    }
    return PictureSet(
      name: name, height: images.shape[1], width: images.shape[2],
      channels: images.shape.count == 4 ? images.shape[3] : 1, pixels: images.bytes,
      labels: labels, classNames: labels == nil ? [] : classes)
  }

  /// Numbers up to the largest label of all parts, so that both splits have the same classes.
  private func numberNames() throws(DatasetError) -> [String] {
    var largest = -1
    for part in parts {
      largest = max(largest, try part.readLabels()?.max() ?? -1)
    }
    return (0..<largest + 1).map { String($0) }
  }

  private static func names(beside folder: String) throws(DatasetError) -> [String]? {
    if let names = try Datasets.classNames(in: "\(folder)/classes.txt") { return names }
    let isFashion = folder.split(separator: "/").suffix(2).contains {
      $0.lowercased().contains("fashion")
    }
    return isFashion ? FashionMNIST.classNames : nil
  }
}

/// The lines of a file that names classes, without those that are empty; `nil` when it is missing.
func classNames(in path: String) throws(DatasetError) -> [String]? {
  guard FileManager.default.fileExists(atPath: path) else { return nil }
  return try readText(path).split(whereSeparator: \.isNewline)
    .map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
}

/// What follows the last slash of a path, slashes at its end left out.
func lastComponent(_ path: String) -> String {
  path.split(separator: "/").last.map(String.init) ?? path
}
