/// Reads little-endian fields one after the other; what lies behind the end is `nil`.
struct ByteCursor {
  private let bytes: [UInt8]
  private(set) var position: Int

  init(_ bytes: [UInt8], at position: Int = 0) {
    (self.bytes, self.position) = (bytes, position)
  }

  var isAtEnd: Bool { position == bytes.count }

  /// The next byte.
  mutating func byte() -> UInt8? {
    guard position < bytes.count else { return nil }
    defer { position += 1 }
    return bytes[position]
  }

  /// The next `count` bytes.
  mutating func take(_ count: Int) -> ArraySlice<UInt8>? {
    guard count >= 0, count <= bytes.count - position else { return nil }
    defer { position += count }
    return bytes[position..<position + count]
  }

  /// The next number.
  mutating func integer<T: FixedWidthInteger>(_ type: T.Type = T.self) -> T? {
    take(MemoryLayout<T>.size).map { bytes in
      bytes.reversed().reduce(T(0)) { $0 << 8 | T(truncatingIfNeeded: $1) }
    }
  }

  /// The bytes before the next line feed, which is skipped.
  mutating func line() -> ArraySlice<UInt8>? {
    guard let end = bytes[position...].firstIndex(of: 0x0A) else { return nil }
    defer { position = end + 1 }
    return bytes[position..<end]
  }
}
