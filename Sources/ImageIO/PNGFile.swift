/// A PNG file that is put together of chunks.
///
/// Source: PNG specification (W3C, third edition), section 5.
struct PNGFile {
  /// One chunk without its length and checksum.
  struct Chunk {
    let name: String
    let data: ArraySlice<UInt8>
  }

  /// The file so far.
  private(set) var bytes: [UInt8] = signature

  private static let signature: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]

  /// The chunks of a file that libpng wrote.
  static func chunks(of file: [UInt8]) -> [Chunk] {
    var chunks: [Chunk] = []
    var position = signature.count
    while position + 12 <= file.count {
      let length = file[position..<position + 4].reduce(0) { $0 << 8 | Int($1) }
      let name = String(decoding: file[position + 4..<position + 8], as: UTF8.self)
      chunks.append(Chunk(name: name, data: file[position + 8..<position + 8 + length]))
      position += 12 + length
    }
    return chunks
  }

  /// Four bytes, the most significant first.
  static func number(_ value: Int) -> [UInt8] {
    [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) }
  }

  mutating func append(_ chunks: [Chunk]) {
    for chunk in chunks { append(chunk.name, chunk.data) }
  }

  mutating func append(_ name: String, _ data: some Collection<UInt8>) {
    bytes += Self.number(data.count)
    let start = bytes.count
    bytes += Array(name.utf8)
    bytes += data
    bytes += Self.number(Int(Self.crc32(bytes[start...])))
  }

  /// Source: PNG specification, section 5.5 and annex D.
  private static func crc32(_ bytes: ArraySlice<UInt8>) -> UInt32 {
    bytes.withUnsafeBufferPointer { bytes in
      crcTable.withUnsafeBufferPointer { table in
        ~bytes.reduce(UInt32.max) { crc, byte in
          crc >> 8 ^ table[Int(UInt8(truncatingIfNeeded: crc) ^ byte)]
        }
      }
    }
  }

  private static let crcTable: [UInt32] = (0..<256).map { index in
    (0..<8).reduce(UInt32(index)) { crc, _ in crc & 1 == 1 ? crc >> 1 ^ 0xEDB8_8320 : crc >> 1 }
  }
}
