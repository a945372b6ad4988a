import Foundation

/// A folder that is copied by its contents: links are followed, as the files of a model in a cache
/// of Hugging Face are links to others.
package struct FolderCopy {
  private let source: String
  private let target: String

  /// A copy that is to be made.
  ///
  /// - Parameters:
  ///   - source: the folder.
  ///   - target: the new folder, which may exist, outside of `source`.
  /// - Throws: `CheckpointError.unwritable` for a target inside of the folder, which would have to
  ///   be in its own copy.
  package init(of source: String, to target: String) throws(CheckpointError) {
    (self.source, self.target) = (source, FolderCopy.name(of: target))
    let folder = FolderCopy.realPath(source)
    // The nearest folder above the target that is there already.
    var parent = FolderCopy.parent(of: self.target)
    while !FileManager.default.fileExists(atPath: parent), parent != "/", parent != "." {
      parent = FolderCopy.parent(of: parent)
    }
    let place = FolderCopy.realPath(parent)
    guard place != folder, !place.hasPrefix(folder + "/") else {
      throw .unwritable(
        file: self.target,
        reason: "it would lie inside of \(source), which is copied; choose a "
          + "place outside")
    }
  }

  /// A path without slashes at its end, so that names of temporary files can be made of it.
  package static func name(of path: String) -> String {
    var name = Substring(path)
    while name.count > 1, name.last == "/" { name.removeLast() }
    return String(name)
  }

  /// Makes the copy.
  ///
  /// - Parameter isWanted: whether a file or folder is part of it, by its path inside of the folder.
  /// - Throws: `CheckpointError.unreadable` for links that lead nowhere or in a circle, or
  ///   `.unwritable`.
  package func run(
    where isWanted: (String) -> Bool = { _ in true }
  ) throws(CheckpointError) {
    try copy("", below: [], isWanted)
  }

  private func copy(
    _ inner: String, below: Set<String>, _ isWanted: (String) -> Bool
  ) throws(CheckpointError) {
    let files = FileManager.default
    let (from, to) = (source + inner, target + inner)
    let real = FolderCopy.realPath(from)
    guard !below.contains(real) else {
      throw .unreadable(file: from, reason: "a link to a folder that it is in")
    }
    let names: [String]
    do {
      names = try files.contentsOfDirectory(atPath: real).sorted()
      try files.createDirectory(atPath: to, withIntermediateDirectories: true)
    } catch {
      throw .unwritable(file: to, reason: error.localizedDescription)
    }
    for name in names {
      let path = "\(inner)/\(name)"
      guard isWanted(String(path.dropFirst())) else { continue }
      var isFolder: ObjCBool = false
      guard files.fileExists(atPath: source + path, isDirectory: &isFolder) else {
        throw .unreadable(file: source + path, reason: "a link to a file that is not there")
      }
      if isFolder.boolValue {
        try copy(path, below: below.union([real]), isWanted)
        continue
      }
      do {
        try files.copyItem(atPath: FolderCopy.realPath(source + path), toPath: target + path)
      } catch {
        throw .unwritable(file: target + path, reason: error.localizedDescription)
      }
    }
  }

  private static func parent(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : name(of: String(path[..<slash]))
  }

  private static func realPath(_ path: String) -> String {
    URL(fileURLWithPath: path).resolvingSymlinksInPath().path
  }
}
