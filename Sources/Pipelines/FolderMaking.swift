import Checkpoints
import Foundation

/// Makes a folder, and those around it, unless they are there.
///
/// - Parameter path: of the folder; nothing happens when it is empty.
/// - Throws: `CheckpointError.unwritable` with the system's reason.
package func makeFolder(_ path: String) throws(CheckpointError) {
  guard !path.isEmpty, mkdir(path, 0o777) != 0, errno != EEXIST || !isFolder(path) else { return }
  let reason = errno
  let parent = (path as NSString).deletingLastPathComponent
  guard reason == ENOENT, parent != path, !parent.isEmpty else {
    throw .unwritable(file: path, reason: String(cString: strerror(reason)))
  }
  try makeFolder(parent)
  guard mkdir(path, 0o777) == 0 || isFolder(path) else {
    throw .unwritable(file: path, reason: String(cString: strerror(errno)))
  }
}

private func isFolder(_ path: String) -> Bool {
  var isFolder: ObjCBool = false
  return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder.boolValue
}
