import Foundation

/// Reads a whole regular file.
func readFile(_ path: String, maxBytes: Int) throws(ImageError) -> [UInt8] {
  func failure(_ detail: String) -> ImageError {
    ImageError(file: path, reason: .cannotRead, detail: detail)
  }
  // Without O_NONBLOCK, opening a named pipe would wait for a writer.
  let descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
  guard descriptor >= 0 else { throw failure(lastSystemError()) }
  defer { close(descriptor) }
  var status = stat()
  guard fstat(descriptor, &status) == 0 else { throw failure(lastSystemError()) }
  guard status.st_mode & S_IFMT == S_IFREG else {
    throw failure(
      status.st_mode & S_IFMT == S_IFDIR ? "this is a folder" : "this is not a regular file")
  }
  guard status.st_size <= maxBytes else {
    throw ImageError(
      file: path, reason: .tooLarge,
      detail: "the file has \(status.st_size) bytes, the limit is \(maxBytes)")
  }
  var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
  var position = 0
  while position < bytes.count {
    let count = bytes.withUnsafeMutableBytes { buffer in
      read(descriptor, buffer.baseAddress.map { $0 + position }, buffer.count - position)
    }
    if count < 0 && errno == EINTR { continue }
    guard count >= 0 else { throw failure(lastSystemError()) }
    if count == 0 { break }
    position += count
  }
  bytes.removeLast(bytes.count - position)
  return bytes
}

/// Writes a whole file, so that under its name there is at any time the old one or the new one.
///
/// The bytes go to a new file in the same folder, which is then renamed.
func writeFile(_ bytes: [UInt8], to path: String) throws(ImageError) {
  func failure() -> ImageError {
    ImageError(file: path, reason: .cannotWrite, detail: lastSystemError())
  }
  let temporary = "\(path).\(getpid()).\(UInt32.random(in: 0 ... .max)).tmp"
  let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
  guard descriptor >= 0 else { throw failure() }
  var position = 0
  while position < bytes.count {
    let count = bytes.withUnsafeBytes { buffer in
      write(descriptor, buffer.baseAddress.map { $0 + position }, buffer.count - position)
    }
    if count < 0 && errno == EINTR { continue }
    guard count > 0 else {
      let error = failure()
      close(descriptor)
      unlink(temporary)
      throw error
    }
    position += count
  }
  guard close(descriptor) == 0, rename(temporary, path) == 0 else {
    let error = failure()
    unlink(temporary)
    throw error
  }
}

private func lastSystemError() -> String { String(cString: strerror(errno)) }
