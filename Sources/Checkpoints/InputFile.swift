import Glibc

/// A file open for reading at any place.
///
/// Bytes are copied out of the page cache rather than mapped: a file that shrinks while it is in
/// use gives an error, where touching mapped memory would end the program.
final class InputFile: Sendable {
  let path: String
  let byteCount: Int
  private let descriptor: Int32

  init(_ path: String) throws(CheckpointError) {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .unreadable(file: path, reason: systemError()) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      close(descriptor)
      throw .unreadable(file: path, reason: "not a file")
    }
    (self.path, self.descriptor, byteCount) = (path, descriptor, Int(status.st_size))
  }

  deinit { close(descriptor) }

  /// Reads exactly `count` bytes at `offset`.
  ///
  /// - Throws: `CheckpointError.unreadable` when the file ends before or the disk fails.
  func read(
    at offset: Int, _ count: Int, into target: UnsafeMutableRawPointer
  ) throws(CheckpointError) {
    var done = 0
    while done < count {
      let part = pread(descriptor, target + done, min(count - done, 1 << 30), offset + done)
      if part < 0 && errno == EINTR { continue }
      guard part > 0 else {
        throw .unreadable(file: path, reason: "it ended early or the disk failed")
      }
      done += part
    }
  }

  /// The `count` bytes at `offset`.
  func bytes(at offset: Int, _ count: Int) throws(CheckpointError) -> [UInt8] {
    try filled(count) { target throws(CheckpointError) in
      try read(at: offset, count, into: target)
    }
  }
}

/// An array of `count` elements that `fill` writes; `fill` is not called for none.
func filled<T: BitwiseCopyable & ExpressibleByIntegerLiteral>(
  _ count: Int, _ fill: (UnsafeMutableRawPointer) throws(CheckpointError) -> Void
) throws(CheckpointError) -> [T] {
  var values = [T](repeating: 0, count: count)
  var failure: CheckpointError?
  values.withUnsafeMutableBytes { buffer in
    guard let base = buffer.baseAddress, !buffer.isEmpty else { return }
    do throws(CheckpointError) { try fill(base) } catch { failure = error }
  }
  if let failure { throw failure }
  return values
}

/// The system's words for the error of the last call.
func systemError() -> String { String(cString: strerror(errno)) }
