/// Opens weight files by what they hold, whatever they are called.
public enum CheckpointFile {
  /// Opens a safetensors file or a zip file of `torch.save`.
  ///
  /// - Throws: `CheckpointError.unreadable`, or `.malformed` saying what the file is instead.
  public static func open(_ path: String) throws(CheckpointError) -> any TensorSource {
    let file = try InputFile(path)
    let start = try file.bytes(at: 0, min(64, file.byteCount))
    if start.starts(with: [0x50, 0x4B, 3, 4]) { return try TorchCheckpoint(file) }
    // The length of a safetensors header, then its first byte.
    if start.count > 8, start[8] == UInt8(ascii: "{") { return try SafetensorsFile(file) }
    let expected = "a safetensors file or a zip file of torch.save"
    if start.count > 1, start[0] == 0x80, (2...5).contains(start[1]) {
      throw .malformed(
        file: path, found: "a bare pickle, as torch before version 1.6 wrote it",
        expected: expected + " (load and save it with a newer torch)")
    }
    if start.starts(with: "version https://git-lfs".utf8) {
      throw .malformed(
        file: path, found: "a Git LFS pointer in the place of the file", expected: expected)
    }
    if let first = start.first(where: { ![9, 10, 13, 32].contains($0) }), first == 0x3C {
      throw .malformed(
        file: path, found: "a web page, perhaps of a download that failed", expected: expected)
    }
    // Its own message says more of a safetensors file that is damaged.
    return try SafetensorsFile(file)
  }
}
