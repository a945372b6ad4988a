import Glibc

/// A file that appears under its name complete, or not at all.
///
/// Bytes go to a temporary file beside the target; `commit` brings them to the disk and renames.
/// Without `commit` the temporary file is removed and the old file stays as it was.
package struct AtomicFile: ~Copyable {
  private let path: String
  private let temporaryPath: String
  private let descriptor: Int32
  private var isCommitted = false

  /// Starts a file that will replace `path`.
  package init(replacing path: String) throws(CheckpointError) {
    var template = Array((path + ".XXXXXX").utf8CString)
    let descriptor = mkstemp(&template)
    guard descriptor >= 0 else { throw .unwritable(file: path, reason: systemError()) }
    self.path = path
    self.descriptor = descriptor
    temporaryPath = template.withUnsafeBufferPointer { buffer in
      buffer.baseAddress.map { String(cString: $0) } ?? path
    }
  }

  deinit {
    close(descriptor)
    if !isCommitted { unlink(temporaryPath) }
  }

  /// Appends bytes.
  package func write(_ bytes: UnsafeRawBufferPointer) throws(CheckpointError) {
    guard let base = bytes.baseAddress else { return }
    var done = 0
    while done < bytes.count {
      let part = Glibc.write(descriptor, base + done, min(bytes.count - done, 1 << 30))
      if part < 0 && errno == EINTR { continue }
      guard part > 0 else { throw .unwritable(file: path, reason: systemError()) }
      done += part
    }
  }

  /// Appends bytes.
  package func write(_ bytes: [UInt8]) throws(CheckpointError) {
    var failure: CheckpointError?
    bytes.withUnsafeBytes { buffer in
      do throws(CheckpointError) { try write(buffer) } catch { failure = error }
    }
    if let failure { throw failure }
  }

  /// Puts the finished file under its name, with the permissions a new file would have.
  package mutating func commit() throws(CheckpointError) {
    let mask = umask(0)
    umask(mask)
    fchmod(descriptor, 0o666 & ~mask)
    guard fsync(descriptor) == 0, rename(temporaryPath, path) == 0 else {
      throw .unwritable(file: path, reason: systemError())
    }
    isCommitted = true
    AtomicFile.syncFolder(of: path)
  }

  /// Makes the rename itself durable; file systems that cannot are left alone.
  private static func syncFolder(of path: String) {
    let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
    let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    fsync(descriptor)
    close(descriptor)
  }
}
