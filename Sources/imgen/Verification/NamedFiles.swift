import Foundation
import LoRA

/// Finds files by the names that a picture's text gives them.
///
/// The text may come from anyone, so of a name only what stands behind its last slash counts.
struct NamedFiles {
  /// Beside the picture and in the working folder.
  private let folders: [String]
  /// Those that the user names, which are searched with the folders inside them.
  private let loraFolders: [String]

  /// Files for one picture.
  init(beside picture: String, loraFolders: [String]) {
    let folder = (picture as NSString).deletingLastPathComponent
    folders = folder.isEmpty || folder == "." ? ["."] : [folder, "."]
    self.loraFolders = loraFolders
  }

  /// Model folders and weight files of a name, with or without its ending, nearest first.
  func models(_ name: String) -> [String] {
    paths(name, in: folders + ModelLocation.checkpointFolders(), [""] + ModelLocation.endings)
      .filter { path in
        ModelLocation.isFolder(path)
          ? ModelLocation.isFolder(path + "/unet")
          : ModelLocation.endings.contains(where: path.lowercased().hasSuffix)
      }
  }

  /// A file such as a VAE or a picture.
  func file(_ name: String, endings: [String] = []) -> String? {
    paths(name, in: folders, [""] + endings).first
  }

  /// A LoRA file, with or without its ending.
  func lora(_ name: String) -> String? {
    let stem = name.hasSuffix(".safetensors") ? String(name.dropLast(12)) : name
    if let found = try? LoRAFolder.path(named: stem, in: loraFolders) { return found }
    return paths(stem, in: folders, [".safetensors"]).first
  }

  /// Where the names were looked for, for people.
  var places: String {
    (loraFolders + folders).map { $0 == "." ? "the working folder" : $0 }
      .joined(separator: ", ")
  }

  private func paths(_ name: String, in folders: [String], _ endings: [String]) -> [String] {
    let last = name.split { $0 == "/" || $0 == "\\" }.last.map(String.init) ?? ""
    guard !last.isEmpty, last != ".", last != ".." else { return [] }
    return folders.flatMap { folder in
      endings.map { folder == "." ? last + $0 : "\(folder)/\(last)\($0)" }
    }.filter(FileManager.default.fileExists(atPath:))
  }
}
