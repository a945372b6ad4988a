import Foundation

/// Finds LoRA files by the names that prompts use.
public enum LoRAFolder {
  /// The file of a name.
  ///
  /// - Parameters:
  ///   - name: of the file without `.safetensors`; may say the folders it lies in
  ///     (`people/anna`), but not leave the folders that are searched.
  ///   - folders: are searched in order, each with all folders inside it.
  /// - Returns: the path of the first file of that name; one that lies nearer to the top, then by
  ///   name, comes first within a folder.
  /// - Throws: `LoRAError.invalidRequest` when there is none, naming similar files.
  public static func path(named name: String, in folders: [String]) throws(LoRAError) -> String {
    let isSafe = !name.isEmpty && !name.hasPrefix("/") && !name.split(separator: "/").contains("..")
    var near: [String] = []
    for folder in folders where isSafe {
      let files = files(in: folder)
      let wanted = name + ".safetensors"
      if let file = files.first(where: { $0 == wanted || $0.hasSuffix("/" + wanted) }) {
        return "\(folder)/\(file)"
      }
      near += files.filter { $0.lowercased().contains(name.lowercased()) }
    }
    let places = folders.isEmpty ? "no folder" : folders.joined(separator: ", ")
    let hint = near.isEmpty ? "" : "; there is \(near.prefix(3).joined(separator: ", "))"
    throw .invalidRequest(
      found: "no \(name).safetensors in \(places)\(hint)", expected: "the name of a LoRA file")
  }

  private static func files(in folder: String) -> [String] {
    let names = FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? []
    func depth(_ path: String) -> Int { path.count { $0 == "/" } }
    return names.filter { $0.hasSuffix(".safetensors") }
      .sorted { (depth($0), $0) < (depth($1), $1) }
  }
}
