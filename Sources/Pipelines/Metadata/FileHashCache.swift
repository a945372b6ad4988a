import Checkpoints
import Foundation

/// SHA-256 hashes of large files that were computed before, in one small JSON file.
///
/// An entry counts while the file has the size and the time of change it was made with. What cannot
/// be read or written is done without: a cache saves time only.
package struct FileHashCache: Sendable {
  /// Where the entries are.
  let path: String
  /// Smaller files are read again every time, which takes no longer than a moment.
  let threshold: Int

  private struct Entry: Codable, Equatable {
    let sha256: String
    let sizeBytes: Int
    let modifiedSeconds: Double
  }

  /// A cache in `path`, for files of at least `threshold` bytes together.
  package init(path: String, threshold: Int) {
    (self.path, self.threshold) = (path, threshold)
  }

  /// The user's: `imgen/hashes.json` in `XDG_CACHE_HOME`, which is usually `~/.cache`.
  package static var standard: FileHashCache {
    let given = ProcessInfo.processInfo.environment["XDG_CACHE_HOME"] ?? ""
    let folder = given.hasPrefix("/") ? given : NSHomeDirectory() + "/.cache"
    return FileHashCache(path: folder + "/imgen/hashes.json", threshold: 1 << 26)
  }

  /// The hash of files, one after the other.
  ///
  /// - Parameters:
  ///   - files: their paths.
  ///   - progress: told bytes done and bytes in all, when the hash has to be computed.
  /// - Returns: 64 lower-case hex digits.
  /// - Throws: `CheckpointError.unreadable` naming the file.
  package func sha256(
    of files: [String], _ progress: (Int, Int) -> Void = { _, _ in }
  ) throws(CheckpointError) -> String {
    let paths = files.map { URL(fileURLWithPath: $0).standardizedFileURL.path }
    let (size, modified) = state(of: paths)
    guard size >= threshold else {
      return try SHA256.hexDigest(ofFiles: files, progress: progress)
    }
    let key = paths.joined(separator: "\n")
    let known = entries()[key]
    if let known, known.sizeBytes == size, known.modifiedSeconds == modified {
      return known.sha256
    }
    let hash = try SHA256.hexDigest(ofFiles: files, progress: progress)
    // Of a file that is still being written there is nothing to be kept.
    if state(of: paths) == (size, modified) {
      keep(Entry(sha256: hash, sizeBytes: size, modifiedSeconds: modified), key)
    }
    return hash
  }

  /// Size of all files together, and the time of the last change to one.
  private func state(of paths: [String]) -> (sizeBytes: Int, modifiedSeconds: Double) {
    paths.reduce((0, 0)) { sum, path in
      let found = try? FileManager.default.attributesOfItem(
        atPath: URL(fileURLWithPath: path).resolvingSymlinksInPath().path)
      let modified = (found?[.modificationDate] as? Date)?.timeIntervalSince1970 ?? 0
      return (sum.0 + ((found?[.size] as? NSNumber)?.intValue ?? 0), max(sum.1, modified))
    }
  }

  private func entries() -> [String: Entry] {
    guard let data = FileManager.default.contents(atPath: path) else { return [:] }
    return (try? JSONDecoder().decode([String: Entry].self, from: data)) ?? [:]
  }

  private func keep(_ entry: Entry, _ key: String) {
    var all = entries()
    all[key] = entry
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    do {
      try makeFolder((path as NSString).deletingLastPathComponent)
      var file = try AtomicFile(replacing: path)
      try file.write([UInt8](encoder.encode(all)))
      try file.commit()
    } catch {
      // Then it is computed again the next time.
    }
  }
}
