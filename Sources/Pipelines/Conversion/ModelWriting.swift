import Checkpoints
import Foundation

/// The weight files of a model that is to be written, and what goes beside them.
struct ModelWriting {
  /// One safetensors file.
  struct File {
    /// Path inside the folder; of no use for a file that stands alone.
    let name: String
    let source: any TensorSource
    var metadata = ["format": "pt"]

    /// Bytes of its tensors once they are written.
    func byteCount(as precision: SafetensorsEntry.Precision?) -> Int {
      entries(as: precision).reduce(0) { $0 + $1.shape.reduce($1.dtype.byteCount, *) }
    }

    func entries(as precision: SafetensorsEntry.Precision?) -> [SafetensorsEntry] {
      source.keys.map { SafetensorsEntry($0, of: $0, in: source, as: precision) }
    }
  }

  /// Whether the result is a folder rather than one file.
  var isFolder = false
  var files: [File] = []
  /// Tensors that the new form has no place for.
  var leftOut: [String] = []
  /// Writes what is no weights into the folder, once the folders of all files exist.
  var settings: (_ folder: String) throws(CheckpointError) -> Void = {
    _ throws(CheckpointError) in
  }

  init() {}

  /// All tensors of a file under the names that they have.
  init(copyOf source: any TensorSource) throws(CheckpointError) {
    if source.keys.contains(where: { $0.contains("lora_") || $0.contains(".lora.") }) {
      throw .malformed(
        file: source.path, found: "a LoRA", expected: "a model; LoRA files are left as they are")
    }
    guard source.shape(of: "__metadata__") == nil else {
      throw .malformed(
        file: source.path, found: "a tensor named \"__metadata__\"",
        expected: "names that a safetensors file can have")
    }
    // Hashes of the old file would not hold for the new one.
    let metadata = source.metadata.filter { $0.key != "global_step" && !$0.key.contains("hash") }
    files = [File(name: "", source: source, metadata: ["format": "pt"].merging(metadata) { $1 })]
  }

  /// Writes everything.
  ///
  /// - Parameters:
  ///   - output: file or folder, which must not exist yet if it is a folder.
  ///   - precision: of all floating-point tensors; `nil` leaves each as it is.
  ///   - progress: gets the bytes written so far and those of the whole result.
  /// - Throws: `CheckpointError`, naming the file that cannot be read or written.
  func write(
    to output: String, as precision: SafetensorsEntry.Precision?,
    progress: (_ done: Int, _ total: Int) -> Void
  ) throws(CheckpointError) {
    let total = files.reduce(0) { $0 + $1.byteCount(as: precision) }
    guard isFolder else {
      for file in files {
        try SafetensorsWriter.write(
          file.entries(as: precision), metadata: file.metadata, to: output, progress: progress)
      }
      return
    }
    let output = FolderCopy.name(of: output)
    let manager = FileManager.default
    guard !manager.fileExists(atPath: output) else {
      throw .unwritable(file: output, reason: "it exists already")
    }
    let temporary = "\(output).partial-\(ProcessInfo.processInfo.processIdentifier)"
    defer { try? manager.removeItem(atPath: temporary) }
    try makeFolder(temporary)
    var done = 0
    for file in files {
      let path = "\(temporary)/\(file.name)"
      try makeFolder((path as NSString).deletingLastPathComponent)
      try SafetensorsWriter.write(
        file.entries(as: precision), metadata: file.metadata, to: path
      ) { part, _ in progress(done + part, total) }
      done += file.byteCount(as: precision)
    }
    try settings(temporary)
    guard rename(temporary, output) == 0 else {
      throw .unwritable(file: output, reason: String(cString: strerror(errno)))
    }
  }
}
