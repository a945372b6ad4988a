/// A folder of pictures with captions, in the layouts that trainers share.
///
/// The captions of a picture are from the first of these that speaks of it:
/// 1. `metadata.jsonl` in its folder or one around it, innermost first: one JSON object per line,
///    `file_name` (from the metadata file's folder) and `text`, on request `captions` (a list of
///    alternatives) and `repeats`; or `metadata.csv` with the columns `file_name`, `text` and on
///    request `repeats`. The CSV is not read when the same folder has the JSON lines.
/// 2. `NAME.txt` or `NAME.caption` beside `NAME.png`: the first line is the caption, further lines
///    are alternatives; an empty file is an empty caption.
/// 3. A folder named `10_sks dog`: ten repeats of "sks dog". The repeats hold for captions from
///    elsewhere too, if those name none.
/// 4. The name of the folder inside of the scanned one: `golden_retriever/1.png`.
/// 5. The picture's own name; see `caption(fromName:)`.
///
/// Source for 1 and 4: Hugging Face Datasets, "ImageFolder"; for 2 and 3: kohya-ss/sd-scripts,
/// `train_network` documentation.
public struct CaptionedFolder: Sendable {
  /// The scanned folder.
  public let path: String
  /// Pictures by name, ascending.
  public let pictures: [CaptionedPicture]
  /// Names of picture files that were left out because their formats are not decoded.
  public let ignored: [String]

  /// Scans a folder and those inside of it; no picture is decoded.
  ///
  /// - Parameter path: of a folder; hidden files and folders in it are skipped.
  /// - Throws: `DatasetError`: no such folder, no pictures in it, or metadata that is broken or
  ///   names a picture that is not there.
  public init(_ path: String) throws(DatasetError) {
    let listing = try FolderListing(path)
    let root = listing.folder.split(separator: "/").last.map(String.init) ?? ""
    let listed = listing.pictures
    self.path = listing.folder
    ignored = listing.foreignPictures.map(\.name)
    guard !listed.isEmpty else {
      throw .noPictures(path: path, found: describe(listing))
    }
    let metadata = try MetadataCaptions(listing)
    let sidecars = Sidecars(listing)
    var pictures: [CaptionedPicture] = []
    pictures.reserveCapacity(listed.count)
    for file in listed {
      let folder = FolderCaption(folder: file.folder, root: root)
      let captions: [String]
      let source: CaptionSource
      let entry = metadata.entry(of: file)
      if let entry {
        (captions, source) = (entry.captions, .metadata)
      } else if let lines = try sidecars.captions(of: file) {
        (captions, source) = (lines, .sidecar)
      } else if !folder.caption.isEmpty {
        (captions, source) = ([folder.caption], .folder)
      } else {
        let words = caption(fromName: file.stem)
        (captions, source) = ([words], words.isEmpty ? .none : .fileName)
      }
      pictures.append(
        CaptionedPicture(
          path: file.path, name: file.name, captions: captions,
          repeats: entry?.repeats ?? folder.repeats, captionSource: source))
    }
    self.pictures = pictures
  }
}

/// What a listing without pictures to decode holds, in words.
func describe(_ listing: FolderListing) -> String {
  let foreign = listing.foreignPictures
  if let first = foreign.first {
    return "\(foreign.count) file\(foreign.count == 1 ? "" : "s") of other picture formats"
      + " (\(first.name)); convert them to PNG or JPEG"
  }
  guard let first = listing.files.first else { return "the folder is empty" }
  let count = listing.files.count
  return count == 1 ? "one other file (\(first.name))" : "\(count) other files (\(first.name) ...)"
}

/// The captions of all metadata files below a folder.
private struct MetadataCaptions {
  /// By the name of the picture as seen from the scanned folder; inner files overwrite outer ones.
  private var entries: [String: CaptionTable.Entry] = [:]

  init(_ listing: FolderListing) throws(DatasetError) {
    let files = Dictionary(listing.files.map { ($0.name, $0) }) { first, _ in first }
    let folders = Set(listing.files.map(\.folder)).sorted { ($0.count, $0) < ($1.count, $1) }
    for folder in folders {
      let prefix = folder.isEmpty ? "" : "\(folder)/"
      guard let file = CaptionTable.fileNames.lazy.compactMap({ files[prefix + $0] }).first
      else { continue }
      let table = try CaptionTable(file)
      for (name, entry) in table.entries.sorted(by: { $0.value.line < $1.value.line }) {
        guard let picture = files[prefix + name] else {
          throw .missingPicture(path: table.path, line: entry.line, name: name)
        }
        guard PictureFileType.decodedExtensions.contains(picture.fileExtension) else {
          throw .brokenMetadata(
            path: table.path, line: entry.line,
            detail: "\"\(name)\" is of a format that is not read; convert it to PNG or JPEG")
        }
        entries[prefix + name] = entry
      }
    }
  }

  func entry(of file: ListedFile) -> CaptionTable.Entry? { entries[file.name] }
}

/// The text files beside pictures.
private struct Sidecars {
  /// By the name without extension, then by extension.
  private var files: [String: [String: ListedFile]] = [:]

  init(_ listing: FolderListing) {
    for file in listing.files where ["txt", "caption"].contains(file.fileExtension) {
      files[Self.key(file), default: [:]][file.fileExtension] = file
    }
  }

  /// The lines of a picture's text file; `nil` when it has none.
  func captions(of picture: ListedFile) throws(DatasetError) -> [String]? {
    guard let found = files[Self.key(picture)], let file = found["txt"] ?? found["caption"]
    else { return nil }
    let lines = try readText(file.path).split(whereSeparator: \.isNewline).map(cleanCaption)
      .filter { !$0.isEmpty }
    return lines.isEmpty ? [""] : lines.uniqued()
  }

  private static func key(_ file: ListedFile) -> String { "\(file.folder)/\(file.stem)" }
}
