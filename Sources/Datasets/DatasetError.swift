/// Why a folder of pictures cannot be used.
public enum DatasetError: Error, Equatable, Hashable, Sendable {
  /// There is nothing at the path.
  case missingFolder(path: String)
  /// There is a file at the path, not a folder.
  case notAFolder(path: String)
  /// A folder or a text file cannot be read; `detail` is the system's reason.
  case cannotRead(path: String, detail: String)
  /// The folder holds no picture that is decoded here; `found` says what it holds.
  case noPictures(path: String, found: String)
  /// A text file is not UTF-8.
  case notUTF8(path: String)
  /// A line of a metadata file does not say what it should; `line` counts from 1.
  case brokenMetadata(path: String, line: Int, detail: String)
  /// A metadata file names a picture that is not there; `line` counts from 1.
  case missingPicture(path: String, line: Int, name: String)
  /// A picture cannot be decoded; `detail` names it and says why.
  case unreadablePicture(detail: String)
  /// Fewer photos are usable than training needs; `reasons` holds one line per photo left out.
  case tooFewPhotos(path: String, found: Int, usable: Int, needed: Int, reasons: [String])
  /// A set of pictures for `PictureSet` cannot be read.
  case pictureSet(PictureSetError)
}

extension DatasetError: CustomStringConvertible {
  /// What was found, what was expected and what to do; no full stop at the end.
  public var description: String {
    switch self {
    case .missingFolder(let path):
      return "\(path): there is no such folder; check the spelling, or make it and put pictures in"
    case .notAFolder(let path):
      return "\(path): this is a file; give the folder that holds the pictures"
    case .cannotRead(let path, let detail):
      return "\(path): cannot be read: \(detail)"
    case .noPictures(let path, let found):
      let names = PictureFileType.decodedExtensions.map { ".\($0)" }.joined(separator: ", ")
      return "\(path): no pictures: \(found); files ending in \(names) are read,"
        + " in this folder and those inside of it"
    case .notUTF8(let path):
      return "\(path): the text is not UTF-8; save it with that encoding"
    case .brokenMetadata(let path, let line, let detail):
      return "\(path), line \(line): \(detail)"
    case .missingPicture(let path, let line, let name):
      return "\(path), line \(line): there is no picture \"\(name)\" in the folder of this file;"
        + " correct the name or delete the line"
    case .unreadablePicture(let detail):
      return "\(detail); replace the file or take it out of the folder"
    case .tooFewPhotos(let path, let found, let usable, let needed, let reasons):
      let head =
        "\(path): \(usable) of \(found) photos can be used, at least \(needed) are needed;"
        + " add \(needed - usable) more"
      return ([head] + reasons.map { "  \($0)" }).joined(separator: "\n")
    case .pictureSet(let error):
      return error.description
    }
  }
}
