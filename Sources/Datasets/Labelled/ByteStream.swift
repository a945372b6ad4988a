import CZlib
import Foundation

/// The bytes of a regular file in order; a gzip file, told by its content, is unpacked on request.
final class ByteStream {
  /// Path of the file.
  let path: String
  /// Bytes of the file as it lies on the disk.
  let fileSize: Int
  private let descriptor: Int32
  private let unpacking: GzipUnpacking?

  /// Opens a file.
  init(_ path: String, unpacksGzip: Bool = true) throws(DatasetError) {
    self.path = path
    // Without O_NONBLOCK, opening a named pipe would wait for a writer.
    descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
    guard descriptor >= 0 else { throw .cannotRead(path: path, detail: systemError()) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      close(descriptor)
      throw .cannotRead(path: path, detail: "this is not a regular file")
    }
    fileSize = Int(status.st_size)
    var start: [UInt8] = [0, 0]
    let isGzip = pread(descriptor, &start, 2, 0) == 2 && start == [0x1F, 0x8B]
    unpacking = isGzip && unpacksGzip ? GzipUnpacking(path) : nil
  }

  deinit { close(descriptor) }

  /// Whether the bytes are unpacked.
  var isCompressed: Bool { unpacking != nil }

  /// The most bytes that the file can hold: deflate never expands more than 1032-fold (258 bytes
  /// from two bits).
  var mostBytes: Int {
    guard isCompressed else { return fileSize }
    let (bytes, isTooMany) = fileSize.multipliedReportingOverflow(by: 1032)
    return isTooMany ? .max : bytes
  }

  /// The next `count` bytes, fewer only at the end of the file.
  ///
  /// Memory is taken as bytes come, so a header that claims too much costs little.
  func read(_ count: Int) throws(DatasetError) -> [UInt8] {
    var bytes = try readPiece(min(count, Self.pieceSize))
    while bytes.count < count {
      let piece = try readPiece(min(count - bytes.count, Self.pieceSize))
      if piece.isEmpty { break }
      bytes += piece
    }
    return bytes
  }

  private static let pieceSize = 1 << 26

  private func readPiece(_ count: Int) throws(DatasetError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    let found = try bytes.withUnsafeMutableBufferPointer { buffer throws(DatasetError) -> Int in
      guard let start = buffer.baseAddress else { return 0 }
      guard let unpacking else { return try readFile(start, count) }
      return try unpacking.read(start, count, refill: readFile)
    }
    bytes.removeLast(count - found)
    return bytes
  }

  private func readFile(
    _ target: UnsafeMutablePointer<UInt8>, _ count: Int
  ) throws(DatasetError) -> Int {
    var done = 0
    while done < count {
      let part = Glibc.read(descriptor, target + done, min(count - done, 1 << 30))
      if part < 0 && errno == EINTR { continue }
      guard part >= 0 else { throw .cannotRead(path: path, detail: systemError()) }
      if part == 0 { break }
      done += part
    }
    return done
  }
}

/// zlib's state while a gzip file (RFC 1952) of one or several members is unpacked.
private final class GzipUnpacking {
  typealias Refill = (UnsafeMutablePointer<UInt8>, Int) throws(DatasetError) -> Int

  private static let inputSize = 1 << 16
  private let path: String
  /// zlib keeps its address, so it must not move.
  private let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
  private let input = UnsafeMutablePointer<UInt8>.allocate(capacity: inputSize)
  private var isAtEnd = false

  init(_ path: String) {
    self.path = path
    stream.initialize(to: z_stream())
    // 15: the largest window; 16: expect gzip's header and check its CRC and length.
    let status = inflateInit2_(
      stream, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
    precondition(status == Z_OK, "zlib cannot start: error \(status)")
  }

  deinit {
    inflateEnd(stream)
    stream.deallocate()
    input.deallocate()
  }

  /// Unpacks `count` bytes, fewer only at the end.
  func read(
    _ target: UnsafeMutablePointer<UInt8>, _ count: Int, refill: Refill
  ) throws(DatasetError) -> Int {
    var done = 0
    while done < count && !isAtEnd {
      guard try fillInput(refill) else {
        throw damage("it ends before its compressed data do")
      }
      let room = UInt32(min(count - done, 1 << 30))
      stream.pointee.next_out = target + done
      stream.pointee.avail_out = room
      let status = inflate(stream, Z_NO_FLUSH)
      done += Int(room - stream.pointee.avail_out)
      switch status {
      case Z_OK, Z_BUF_ERROR: continue
      case Z_STREAM_END: try startNextMember(refill)
      case Z_MEM_ERROR: throw damage("there is no memory to unpack it")
      default: throw damage(stream.pointee.msg.map { String(cString: $0) } ?? "error \(status)")
      }
    }
    return done
  }

  /// Reads on when all input is used up; returns whether there is any.
  private func fillInput(_ refill: Refill) throws(DatasetError) -> Bool {
    if stream.pointee.avail_in == 0 {
      stream.pointee.avail_in = UInt32(try refill(input, Self.inputSize))
      stream.pointee.next_in = input
    }
    return stream.pointee.avail_in > 0
  }

  private func startNextMember(_ refill: Refill) throws(DatasetError) {
    guard try fillInput(refill) else {
      isAtEnd = true
      return
    }
    guard stream.pointee.next_in.pointee == 0x1F else {
      throw damage("other bytes follow its compressed data")
    }
    inflateReset(stream)
  }

  private func damage(_ detail: String) -> DatasetError {
    .pictureSet(.damagedGzip(path: path, detail: detail))
  }
}

private func systemError() -> String { String(cString: strerror(errno)) }
