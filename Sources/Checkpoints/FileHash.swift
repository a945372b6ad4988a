extension SHA256 {
  /// Bytes that are read at once.
  private static let portion = 1 << 22

  /// The hash of files, one after the other, in lower-case hexadecimal.
  ///
  /// - Parameters:
  ///   - paths: of the files.
  ///   - progress: told the number of bytes done so far, and that of all.
  /// - Returns: 64 digits.
  /// - Throws: `CheckpointError.unreadable` naming the file.
  package static func hexDigest(
    ofFiles paths: [String], progress: (Int, Int) -> Void = { _, _ in }
  ) throws(CheckpointError) -> String {
    var files: [InputFile] = []
    for path in paths { files.append(try InputFile(path)) }
    let total = files.reduce(0) { $0 + $1.byteCount }
    var hash = SHA256()
    var done = 0
    for file in files {
      var place = 0
      while place < file.byteCount {
        let count = min(portion, file.byteCount - place)
        hash.update(try file.bytes(at: place, count))
        (place, done) = (place + count, done + count)
        progress(done, total)
      }
    }
    return hash.hexDigest()
  }
}
