/// A folder of pictures, with classes or without, with parts for training and tests or without.
struct PictureFolder: Sendable {
  /// One picture file.
  struct Entry: Sendable {
    /// The file.
    let file: ListedFile
    /// The name of its class, if there are classes.
    let className: String?
  }

  /// What to call the set.
  let name: String
  /// Path of the folder.
  let path: String
  /// The pictures to learn from, by name.
  let train: [Entry]
  /// The pictures of the test folder; `nil` when some of `train` are to be held out.
  let test: [Entry]?
  /// Names of the classes in their natural order; empty without classes.
  let classNames: [String]

  /// Names of the folder with the pictures for tests, first choice first.
  private static let testNames = ["test", "val", "valid", "validation"]

  /// Looks through a folder; no picture is decoded.
  init(_ folder: String) throws(DatasetError) {
    let listing = try FolderListing(folder)
    // Pictures of foreign formats are tried too, so that they are named among those left out.
    let names = Set((listing.pictures + listing.foreignPictures).map(\.name))
    let files = listing.files.filter { names.contains($0.name) }
    guard !files.isEmpty else {
      throw .pictureSet(.unrecognized(path: folder, found: describe(listing)))
    }
    (name, path) = (lastComponent(listing.folder), listing.folder)
    let group = try FileGroup(files, folder: listing.folder, prefix: "").descended()
    let folders = group.folders
    if let train = folders.first(where: { $0.lowercased() == "train" }),
      let test = Self.testNames.lazy.compactMap({ name in
        folders.first { $0.lowercased() == name }
      }).first
    {
      let parts = (try group.part(train).descended(), try group.part(test).descended())
      guard parts.0.folders.isEmpty == parts.1.folders.isEmpty else {
        throw .pictureSet(
          .wrongShape(
            path: folder, found: "one folder per class in only one of \(train) and \(test)",
            expected: "the same classes in both"))
      }
      self.train = parts.0.entries
      self.test = parts.1.entries
    } else {
      train = group.entries
      test = nil
    }
    classNames = Set((train + (test ?? [])).compactMap(\.className)).sorted(by: naturallyPrecedes)
  }

  /// The pictures of one split.
  func entries(_ split: PictureSet.Split) throws(DatasetError) -> [Entry] {
    let chosen: [Entry]
    switch (split, test) {
    case (.all, _): chosen = train + (test ?? [])
    case (.train, .some): chosen = train
    case (.test, .some(let test)): chosen = test
    default: chosen = heldOut(split)
    }
    guard !chosen.isEmpty else {
      throw .pictureSet(.noTestPictures(path: path, found: train.count))
    }
    return chosen
  }

  /// Splits each class, so that every one with two pictures is in both parts.
  private func heldOut(_ split: PictureSet.Split) -> [Entry] {
    let classes = Dictionary(grouping: train.indices) { train[$0].className }
    let chosen = classes.values.flatMap { places in
      HeldOut.places(places.map { train[$0].file.name }, split).map { places[$0] }
    }
    return chosen.sorted().map { train[$0] }
  }
}

/// Files below one folder of a listing.
private struct FileGroup {
  private let files: [ListedFile]
  private let folder: String
  /// What the names begin with; ends with a slash unless it is empty.
  private let prefix: String
  /// The folders directly inside, by name; empty when the files lie in the folder itself.
  let folders: [String]

  init(_ files: [ListedFile], folder: String, prefix: String) throws(DatasetError) {
    (self.files, self.folder, self.prefix) = (files, folder, prefix)
    let inside = files.filter { $0.name.dropFirst(prefix.count).contains("/") }
    guard let first = inside.first else {
      folders = []
      return
    }
    if let picture = files.first(where: { !$0.name.dropFirst(prefix.count).contains("/") }) {
      throw .pictureSet(
        .mixedFolder(path: folder, picture: picture.name, folder: first.folder))
    }
    folders = Set(inside.map { Self.firstPart($0, prefix) }).sorted()
  }

  /// The group of one folder inside.
  func part(_ name: String) throws(DatasetError) -> FileGroup {
    let inner = "\(prefix)\(name)/"
    return try FileGroup(
      files.filter { $0.name.hasPrefix(inner) }, folder: folder, prefix: inner)
  }

  /// This group, or the one inside of it as long as there is only one.
  func descended() throws(DatasetError) -> FileGroup {
    var group = self
    while group.folders.count == 1 { group = try group.part(group.folders[0]) }
    return group
  }

  /// The files, in classes if they lie in several folders.
  var entries: [PictureFolder.Entry] {
    files.map { file in
      PictureFolder.Entry(
        file: file, className: folders.isEmpty ? nil : Self.firstPart(file, prefix))
    }
  }

  private static func firstPart(_ file: ListedFile, _ prefix: String) -> String {
    String(file.name.dropFirst(prefix.count).prefix { $0 != "/" })
  }
}
