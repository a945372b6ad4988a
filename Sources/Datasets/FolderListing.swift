import Foundation

/// What a file's extension says about it; only a guess, the decoder looks at the content.
enum PictureFileType {
  /// The extensions that are taken for pictures to decode, lower case.
  static let decodedExtensions = ["png", "jpg", "jpeg", "jpe", "jfif"]
  /// The extensions of pictures that are not decoded, to be reported and not passed over.
  static let foreignExtensions: Set<String> = [
    "webp", "gif", "bmp", "tif", "tiff", "avif", "heic", "heif", "jxl", "jp2", "psd", "dng", "cr2",
    "cr3", "nef", "arw", "raf", "orf", "rw2",
  ]
}

/// A file below a folder.
struct ListedFile: Equatable, Sendable {
  /// Path from the folder, with slashes.
  let name: String
  /// Path that opens the file.
  let path: String

  /// The last part of the name.
  var fileName: Substring {
    name.lastIndex(of: "/").map { name[name.index(after: $0)...] } ?? name[...]
  }
  /// The folder part of the name, without a slash at the end; empty for the folder itself.
  var folder: String { String(name.dropLast(fileName.count + 1)) }
  /// The file name up to its last dot.
  var stem: Substring { fileName.lastIndex(of: ".").map { fileName[..<$0] } ?? fileName }
  /// What follows the last dot, lower case; empty without one.
  var fileExtension: String {
    fileName.lastIndex(of: ".").map { fileName[fileName.index(after: $0)...].lowercased() } ?? ""
  }
}

/// Every visible file below a folder, in the order of their names.
///
/// What starts with a dot is skipped, and so are the `__MACOSX` folders of unpacked archives. A
/// folder that several links lead to is read once, so links in a circle end.
struct FolderListing: Sendable {
  let folder: String
  let files: [ListedFile]

  /// Pictures to decode.
  var pictures: [ListedFile] {
    files.filter { PictureFileType.decodedExtensions.contains($0.fileExtension) }
  }

  /// Pictures of formats that are not decoded.
  var foreignPictures: [ListedFile] {
    files.filter { PictureFileType.foreignExtensions.contains($0.fileExtension) }
  }

  init(_ folder: String) throws(DatasetError) {
    var root = folder
    while root.count > 1 && root.hasSuffix("/") { root.removeLast() }
    self.folder = root
    guard let status = FileStatus(root) else { throw .missingFolder(path: folder) }
    guard status.isFolder else { throw .notAFolder(path: folder) }
    var visited: Set<FileStatus.Identity> = [status.identity]
    var waiting = [""]
    var found: [ListedFile] = []
    while let current = waiting.popLast() {
      let path = current.isEmpty ? root : "\(root)/\(current)"
      for entry in try Self.entries(path) {
        let name = current.isEmpty ? entry : "\(current)/\(entry)"
        guard let status = FileStatus("\(path)/\(entry)") else { continue }
        if status.isFolder {
          if visited.insert(status.identity).inserted { waiting.append(name) }
        } else if status.isRegularFile {
          found.append(ListedFile(name: name, path: "\(root)/\(name)"))
        }
      }
    }
    files = found.sorted { $0.name < $1.name }
  }

  private static func entries(_ path: String) throws(DatasetError) -> [String] {
    do {
      return try FileManager.default.contentsOfDirectory(atPath: path)
        .filter { !$0.hasPrefix(".") && $0 != "__MACOSX" }
        .sorted(by: >)  // the folder pushed last is read first
    } catch {
      throw .cannotRead(path: path, detail: error.localizedDescription)
    }
  }
}

/// What the system says about a path, links followed.
private struct FileStatus {
  struct Identity: Hashable {
    let device: UInt64
    let inode: UInt64
  }

  let identity: Identity
  private let mode: mode_t

  init?(_ path: String) {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    identity = Identity(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
    mode = status.st_mode
  }

  var isFolder: Bool { mode & S_IFMT == S_IFDIR }
  var isRegularFile: Bool { mode & S_IFMT == S_IFREG }
}

/// Reads a UTF-8 text file; a byte order mark is dropped.
func readText(_ path: String) throws(DatasetError) -> String {
  let data: Data
  do {
    data = try Data(contentsOf: URL(fileURLWithPath: path))
  } catch {
    throw .cannotRead(path: path, detail: error.localizedDescription)
  }
  guard let text = String(bytes: data, encoding: .utf8) else { throw .notUTF8(path: path) }
  return text.hasPrefix("\u{FEFF}") ? String(text.dropFirst()) : text
}
