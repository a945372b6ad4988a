import Foundation

/// CIFAR-10 or CIFAR-100 in the binary version.
///
/// A record is the number of the class (CIFAR-100: of the coarse, then of the fine class) and 32x32
/// pixels, all red ones, then green, then blue, rows from the top.
/// Source: Krizhevsky, "The CIFAR-10 dataset", section "Binary version".
struct CIFARSet: Sendable {
  /// What to call the set.
  let name: String
  private let folder: String
  /// Bytes in front of the pixels; the last of them is the class.
  private let labelBytes: Int
  private let trainFiles: [String]
  private let testFiles: [String]
  /// Names of the classes, in the order of their numbers.
  private let classNames: [String]

  private static let side = 32
  private static let planeSize = side * side
  private static let tenNames = [
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
  ]

  /// The set in a folder, or in the folder inside of it that its archive unpacks to; `nil` when
  /// there are no such files.
  init?(folder: String) throws(DatasetError) {
    let ten = (1...5).map { "data_batch_\($0).bin" }
    let places = ["", "/cifar-10-batches-bin", "/cifar-100-binary"].map { folder + $0 }
    func has(_ name: String, in place: String) -> Bool {
      FileManager.default.fileExists(atPath: "\(place)/\(name)")
    }
    for place in places {
      if (ten + ["test_batch.bin"]).contains(where: { has($0, in: place) }) {
        (name, self.folder, labelBytes) = ("cifar-10", place, 1)
        (trainFiles, testFiles) = (ten, ["test_batch.bin"])
        let names = try Datasets.classNames(in: "\(place)/batches.meta.txt")
        self.classNames = names ?? Self.tenNames
        return
      }
      if has("train.bin", in: place) || has("test.bin", in: place) {
        (name, self.folder, labelBytes) = ("cifar-100", place, 2)
        (trainFiles, testFiles) = (["train.bin"], ["test.bin"])
        let names = try Datasets.classNames(in: "\(place)/fine_label_names.txt")
        self.classNames = names ?? (0..<100).map { String($0) }
        return
      }
    }
    for place in ["data_batch_1", "cifar-10-batches-py", "cifar-100-python"]
    where has(place, in: folder) {
      throw .pictureSet(
        .unrecognized(
          path: folder, found: "this is CIFAR's version for Python, take the binary version"))
    }
    return nil
  }

  /// Reads one split.
  func read(_ split: PictureSet.Split) throws(DatasetError) -> PictureSet {
    let files =
      switch split {
      case .train: trainFiles
      case .test: testFiles
      case .all: trainFiles + testFiles
      }
    let missing = files.filter { !FileManager.default.fileExists(atPath: "\(folder)/\($0)") }
    guard missing.isEmpty else {
      throw .pictureSet(.missingFiles(path: folder, names: missing))
    }
    var pixels: [UInt8] = []
    var labels: [Int] = []
    for file in files { try append("\(folder)/\(file)", to: &pixels, &labels) }
    return PictureSet(
      name: name, height: Self.side, width: Self.side, channels: 3, pixels: pixels,
      labels: labels, classNames: classNames)
  }

  private func append(
    _ path: String, to pixels: inout [UInt8], _ labels: inout [Int]
  ) throws(DatasetError) {
    let stream = try ByteStream(path, unpacksGzip: false)
    let recordSize = labelBytes + 3 * Self.planeSize
    guard stream.fileSize > 0, stream.fileSize % recordSize == 0,
      stream.fileSize <= IDXFile.maxBytes
    else {
      throw .pictureSet(
        .brokenRecords(path: path, sizeBytes: stream.fileSize, recordBytes: recordSize))
    }
    let bytes = try stream.read(stream.fileSize)
    for start in stride(from: 0, to: bytes.count, by: recordSize) {
      let label = Int(bytes[start + labelBytes - 1])
      guard label < classNames.count else {
        throw .pictureSet(
          .unknownLabel(
            path: path, index: start / recordSize, label: label, classes: classNames.count))
      }
      labels.append(label)
      pixels += Self.interleaved(bytes[start + labelBytes..<start + recordSize])
    }
  }

  /// `[3, 32, 32]` as `[32, 32, 3]`.
  private static func interleaved(_ planes: ArraySlice<UInt8>) -> [UInt8] {
    planes.withUnsafeBufferPointer { planes in
      [UInt8](unsafeUninitializedCapacity: planes.count) { target, initialized in
        for i in 0..<planeSize {
          target[3 * i] = planes[i]
          target[3 * i + 1] = planes[planeSize + i]
          target[3 * i + 2] = planes[2 * planeSize + i]
        }
        initialized = planes.count
      }
    }
  }
}
