import Datasets
import Foundation
import Testing

/// The bytes of an IDX file.
func idx(_ shape: [Int], _ elements: [UInt8], type: UInt8 = 8) -> [UInt8] {
  let sizes = shape.flatMap { size in
    [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: size >> $0) }
  }
  return [0, 0, type, UInt8(shape.count)] + sizes + elements
}

/// Elements that differ from their neighbours.
func pattern(_ count: Int, seed: Int = 0) -> [UInt8] {
  (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ seed &* 11 &+ $0 / 251) }
}

/// The bytes as the system's gzip packs them.
func gzipped(_ bytes: [UInt8]) throws -> [UInt8] {
  let file = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
  try Data(bytes).write(to: file)
  defer { try? FileManager.default.removeItem(at: file) }
  let process = Process()
  process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
  process.arguments = ["gzip", "-n", "-c", file.path]
  let output = Pipe()
  process.standardOutput = output
  try process.run()
  let packed = output.fileHandleForReading.readDataToEndOfFile()
  process.waitUntilExit()
  try #require(process.terminationStatus == 0)
  return [UInt8](packed)
}

extension TemporaryFolder {
  /// Writes pictures of 3x2 pixels with labels under MNIST's names; returns the pictures' bytes.
  @discardableResult
  func writeMNIST(
    _ part: String, labels: [UInt8], separator: String = "-", isPacked: Bool = false
  ) throws -> [UInt8] {
    let pixels = pattern(labels.count * 6, seed: labels.count)
    let files = [
      ("images\(separator)idx3-ubyte", idx([labels.count, 3, 2], pixels)),
      ("labels\(separator)idx1-ubyte", idx([labels.count], labels)),
    ]
    for (name, bytes) in files {
      try write("\(part)-\(name)\(isPacked ? ".gz" : "")", isPacked ? gzipped(bytes) : bytes)
    }
    return pixels
  }
}

/// Runs `body` and returns the `PictureSetError` that it must throw.
func pictureSetError(
  sourceLocation: SourceLocation = #_sourceLocation,
  from body: () throws(DatasetError) -> Void
) throws -> PictureSetError {
  let error = try datasetError(sourceLocation: sourceLocation, from: body)
  guard case .pictureSet(let inner) = error else {
    Issue.record("another error: \(error)", sourceLocation: sourceLocation)
    throw error
  }
  #expect(error.description == inner.description && !inner.description.isEmpty)
  return inner
}
