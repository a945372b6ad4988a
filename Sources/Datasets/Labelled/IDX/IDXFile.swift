/// An IDX file of unsigned bytes, compressed by gzip or not.
///
/// Two zero bytes, the type of the elements, the number of axes, the size of each axis as a
/// big-endian 32-bit number, then the elements in row-major order.
/// Source: LeCun, Cortes and Burges, "The MNIST database", section "File formats".
struct IDXFile {
  /// Path of the file.
  let path: String
  /// Sizes of the axes, all at least 1.
  let shape: [Int]
  /// The elements, as many as `shape` says.
  let bytes: [UInt8]

  /// The most bytes that are taken into memory.
  static let maxBytes = 1 << 33

  /// Reads a file whose number of axes is one of `ranks`.
  ///
  /// No memory is taken for more elements than the file can hold.
  ///
  /// - Parameters:
  ///   - path: of the file.
  ///   - ranks: how many axes it may have.
  ///   - expected: the shapes that are needed, for the error.
  /// - Throws: `PictureSetError` for anything that is not as announced.
  init(_ path: String, ranks: ClosedRange<Int>, expected: String) throws(DatasetError) {
    let stream = try ByteStream(path)
    let rank = try Self.rank(stream, try Self.read(stream, 4, at: 0))
    guard ranks.contains(rank) else {
      throw .pictureSet(
        .wrongShape(
          path: path, found: "\(rank) \(rank == 1 ? "axis" : "axes")", expected: expected))
    }
    let sizes = try Self.read(stream, 4 * rank, at: 4)
    let shape = (0..<rank).map { axis in
      sizes[4 * axis..<4 * axis + 4].reduce(0) { $0 << 8 | Int($1) }
    }
    guard !shape.contains(0) else {
      throw .pictureSet(
        .wrongShape(path: path, found: "the shape \(shape), which is empty", expected: expected))
    }
    let count = try Self.elementCount(shape, stream)
    bytes = try Self.read(stream, count, at: 4 + 4 * rank)
    guard try stream.read(1).isEmpty else {
      throw .pictureSet(.trailingBytes(path: path, expected: 4 + 4 * rank + count))
    }
    self.path = path
    self.shape = shape
  }

  /// Exactly `count` bytes, which follow `position` bytes that were read already.
  private static func read(
    _ stream: ByteStream, _ count: Int, at position: Int
  ) throws(DatasetError) -> [UInt8] {
    let bytes = try stream.read(count)
    guard bytes.count == count else {
      throw .pictureSet(
        .tooShort(path: stream.path, found: position + bytes.count, expected: position + count))
    }
    return bytes
  }

  /// The number of axes that the first four bytes name.
  private static func rank(
    _ stream: ByteStream, _ magic: [UInt8]
  ) throws(DatasetError) -> Int {
    let others: [UInt8: String] = [
      0x09: "signed bytes", 0x0B: "16-bit integers", 0x0C: "32-bit integers",
      0x0D: "32-bit floats", 0x0E: "64-bit floats",
    ]
    let found = magic.map { ($0 < 16 ? "0" : "") + String($0, radix: 16, uppercase: true) }
    guard magic[0] == 0, magic[1] == 0, magic[2] == 0x08 || others[magic[2]] != nil else {
      let bytes = found.joined(separator: " ")
      throw .pictureSet(.notIDX(path: stream.path, found: "it begins with the bytes \(bytes)"))
    }
    if let type = others[magic[2]] {
      throw .pictureSet(
        .unsupportedElements(path: stream.path, found: "\(type) (type 0x\(found[2]))"))
    }
    return Int(magic[3])
  }

  /// The number of elements, if the file can hold them.
  private static func elementCount(
    _ shape: [Int], _ stream: ByteStream
  ) throws(DatasetError) -> Int {
    var count = 1
    for size in shape {
      let (product, isTooLarge) = count.multipliedReportingOverflow(by: size)
      guard !isTooLarge, product <= maxBytes else {
        throw .pictureSet(
          .tooLarge(
            path: stream.path,
            detail: "the header claims the shape \(shape), more than \(maxBytes >> 30) GiB"))
      }
      count = product
    }
    let total = count + 4 + 4 * shape.count
    guard total <= stream.mostBytes else {
      throw .pictureSet(
        stream.isCompressed
          ? .tooLarge(
            path: stream.path,
            detail: "the header claims the shape \(shape), which \(stream.fileSize) compressed"
              + " bytes cannot hold; download or copy the file again")
          : .tooShort(path: stream.path, found: stream.fileSize, expected: total))
    }
    return count
  }
}
