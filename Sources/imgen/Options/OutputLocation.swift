import ArgumentParser
import Foundation

/// Checks where results are to go before time is spent on making them.
enum OutputLocation {
  /// Refuses a folder that cannot be made or written to.
  ///
  /// - Parameter path: of the folder, which need not exist; empty for the working folder.
  /// - Throws: `ValidationError` that names what is in the way.
  static func check(folder path: String) throws {
    var ancestor = URL(fileURLWithPath: path.isEmpty ? "." : path).standardizedFileURL
    let files = FileManager.default
    while !files.fileExists(atPath: ancestor.path), ancestor.path != "/" {
      ancestor.deleteLastPathComponent()
    }
    var isFolder: ObjCBool = false
    _ = files.fileExists(atPath: ancestor.path, isDirectory: &isFolder)
    guard isFolder.boolValue else {
      throw ValidationError(
        "cannot write to the folder \(path): \(ancestor.path) is a file. Give another --out.")
    }
    guard files.isWritableFile(atPath: ancestor.path) else {
      throw ValidationError(
        "cannot write to the folder \(path): \(ancestor.path) is write-protected. "
          + "Give another --out.")
    }
  }

  /// Refuses a file whose folder cannot be written to, or that is a folder.
  static func check(file path: String) throws {
    var isFolder: ObjCBool = false
    let exists = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
    guard !path.isEmpty, !(exists && isFolder.boolValue) else {
      throw ValidationError(
        "--out is \(path.isEmpty ? "empty" : "the folder " + path), expected the name of a file.")
    }
    try check(folder: (path as NSString).deletingLastPathComponent)
  }

  /// Refuses a picture that is not a PNG file or cannot be written.
  ///
  /// - Parameters:
  ///   - path: of the picture.
  ///   - otherwise: what else the command can do, a half sentence.
  /// - Throws: `ValidationError`.
  static func check(picture path: String, otherwise: String = "") throws {
    guard path.lowercased().hasSuffix(".png") else {
      throw ValidationError(
        "--out is \(path), expected the name of a picture, ending in .png\(otherwise).")
    }
    try check(file: path)
  }
}
