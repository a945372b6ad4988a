import ArgumentParser
import Foundation

/// Finds models: a folder the user names, or one that comes with the program.
enum ModelLocation {
  /// Name of the model used when none is named.
  static let bundledName = "imgen-small"

  /// The folder of model `name`: a path, or the name of a folder in `checkpoints/`.
  ///
  /// `checkpoints/` is looked for in `IMGEN_CHECKPOINTS`, beside the program and in the folders
  /// above it, in `share/imgen/` of its prefix, and in the working folder.
  static func folder(_ name: String?) throws -> String {
    let name = name ?? bundledName
    if isFolder(name) { return name }
    return try bundledFolder(name)
  }

  /// How the names of weight files end.
  static let endings = [".safetensors", ".ckpt", ".pt", ".pth", ".bin"]

  /// Whether this is the model that comes with the program, which is known by its name.
  static func isBundled(_ name: String?) -> Bool {
    (name ?? bundledName) == bundledName && !isFolder(bundledName)
  }

  /// A folder, the name of a folder in `checkpoints/`, or a weight file.
  static func path(_ name: String?) throws -> String {
    if let name, endings.contains(where: name.lowercased().hasSuffix),
      FileManager.default.fileExists(atPath: name)
    {
      return name
    }
    return try folder(name)
  }

  private static func bundledFolder(_ name: String) throws -> String {
    let candidates = checkpointFolders().map { "\($0)/\(name)" }
    if let found = candidates.first(where: isFolder) { return found }
    throw ValidationError(
      "there is no model \"\(name)\": no such folder, and none of that name in "
        + "\(checkpointFolders().first ?? "checkpoints"). Give a model folder with --model, or set "
        + "IMGEN_CHECKPOINTS to where checkpoints/ is.")
  }

  /// The folders in which `checkpoints/` is looked for that exist.
  static func checkpointFolders() -> [String] {
    var folders: [String] = []
    if let given = ProcessInfo.processInfo.environment["IMGEN_CHECKPOINTS"] {
      folders.append(given)
    }
    let program = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
    var folder = program.deletingLastPathComponent()
    for _ in 0..<6 {
      folders.append(folder.appendingPathComponent("checkpoints").path)
      folders.append(folder.appendingPathComponent("share/imgen/checkpoints").path)
      folder.deleteLastPathComponent()
    }
    folders.append(FileManager.default.currentDirectoryPath + "/checkpoints")
    return folders.filter(isFolder)
  }

  static func isFolder(_ path: String) -> Bool {
    var isFolder: ObjCBool = false
    return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
      && isFolder.boolValue
  }
}
