/// What the name of a folder says about the pictures in it.
struct FolderCaption: Equatable {
  /// The largest number of repeats; `2019_summer` is a year, not 2,019 repeats.
  static let maxRepeats = 1000

  /// How often an epoch has each picture.
  let repeats: Int
  /// Empty when the name says nothing.
  let caption: String

  /// Reads `10_sks dog` as ten repeats of "sks dog", the way of kohya's trainers.
  ///
  /// - Returns: `nil` when the name is not of that form.
  init?(kohya name: some StringProtocol) {
    guard let underscore = name.firstIndex(of: "_"),
      name[..<underscore].utf8.allSatisfy({ (0x30...0x39).contains($0) }),
      let repeats = Int(name[..<underscore]), (1...Self.maxRepeats).contains(repeats)
    else { return nil }
    let caption = cleanCaption(
      String(name[name.index(after: underscore)...]).replacing("_", with: " "))
    guard !caption.isEmpty else { return nil }
    self.repeats = repeats
    self.caption = caption
  }

  /// Reads the folder of a picture.
  ///
  /// The innermost folder of kohya's form decides, the scanned folder itself being the outermost;
  /// without one the picture's own folder names its class.
  ///
  /// - Parameters:
  ///   - folder: path from the scanned folder, empty for a picture that lies right in it.
  ///   - root: name of the scanned folder.
  init(folder: String, root: String) {
    let parts = folder.split(separator: "/")
    if let kohya = ([root[...]] + parts).reversed().lazy.compactMap({ Self(kohya: $0) }).first {
      self = kohya
    } else {
      repeats = 1
      caption = parts.last.map { Datasets.caption(fromName: $0) } ?? ""
    }
  }
}
