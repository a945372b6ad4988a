/// What the JSON header of a safetensors file says, checked against the size of its data.
struct SafetensorsHeader {
  /// One tensor: its type, shape and place in the data section.
  struct Entry: Equatable {
    let dtype: SafetensorsDType
    let shape: [Int]
    /// Byte offsets from the start of the data section.
    let range: Range<Int>
  }

  private(set) var entries: [String: Entry] = [:]
  private(set) var metadata: [String: String] = [:]

  /// Parses and checks a header.
  ///
  /// - Parameters:
  ///   - json: the header's bytes, which may end in spaces.
  ///   - dataByteCount: size of the data section, which the tensors must fill exactly.
  /// - Throws: what was found and what was expected.
  init(json: [UInt8], dataByteCount: Int) throws(HeaderError) {
    var parser = HeaderParser(json)
    try parser.object { parser, key throws(HeaderError) in
      if key == "__metadata__" {
        try parser.object { parser, name throws(HeaderError) in
          metadata[name] = try parser.string()
        }
      } else {
        entries[key] = try SafetensorsHeader.entry(&parser, key: key)
      }
    }
    try parser.end()
    try checkLayout(dataByteCount: dataByteCount)
  }

  private static func entry(
    _ parser: inout HeaderParser, key: String
  ) throws(HeaderError) -> Entry {
    var dtype: SafetensorsDType?
    var shape: [Int]?
    var offsets: [Int]?
    try parser.object { parser, field throws(HeaderError) in
      switch field {
      case "dtype":
        let name = try parser.string()
        dtype = SafetensorsDType(rawValue: name)
        guard dtype != nil else {
          throw HeaderError(
            found: "element type \"\(name)\" of \"\(key)\"",
            expected: "one of " + SafetensorsDType.allCases.map(\.rawValue).joined(separator: ", "))
        }
      case "shape": shape = try parser.integers()
      case "data_offsets": offsets = try parser.integers()
      default:
        throw HeaderError(
          found: "field \"\(field)\" of \"\(key)\"", expected: "dtype, shape and data_offsets")
      }
    }
    guard let dtype, let shape, let offsets else {
      throw HeaderError(
        found: "\"\(key)\" without all of its fields", expected: "dtype, shape and data_offsets")
    }
    guard offsets.count == 2, offsets[0] <= offsets[1] else {
      throw HeaderError(
        found: "data_offsets \(offsets) of \"\(key)\"", expected: "[begin, end] with begin <= end")
    }
    return Entry(dtype: dtype, shape: shape, range: offsets[0]..<offsets[1])
  }

  /// Every size must follow from type and shape, and the tensors must tile the data section.
  private func checkLayout(dataByteCount: Int) throws(HeaderError) {
    for (key, entry) in entries {
      guard let size = SafetensorsHeader.byteCount(entry.shape, entry.dtype) else {
        throw HeaderError(
          found: "shape \(entry.shape) of \"\(key)\"", expected: "a size that fits in 63 bits")
      }
      guard size == entry.range.count else {
        throw HeaderError(
          found: "\(entry.range.count) bytes for \"\(key)\"",
          expected: "\(size) for \(entry.dtype.rawValue) \(entry.shape)")
      }
    }
    var end = 0
    let inOrder = entries.sorted {
      ($0.value.range.lowerBound, $0.value.range.upperBound, $0.key)
        < ($1.value.range.lowerBound, $1.value.range.upperBound, $1.key)
    }
    for (key, entry) in inOrder {
      guard entry.range.lowerBound == end else {
        throw HeaderError(
          found: "\"\(key)\" at byte \(entry.range.lowerBound)",
          expected: "\(end), without overlaps or holes")
      }
      end = entry.range.upperBound
    }
    guard end == dataByteCount else {
      throw HeaderError(found: "\(dataByteCount) bytes of data", expected: "\(end)")
    }
  }

  /// Bytes of a tensor, or `nil` when they overflow.
  static func byteCount(_ shape: [Int], _ dtype: SafetensorsDType) -> Int? {
    var size = dtype.byteCount
    for length in shape {
      let (product, overflow) = size.multipliedReportingOverflow(by: length)
      if overflow { return nil }
      size = product
    }
    return size
  }
}

/// What is wrong with a header.
struct HeaderError: Error {
  let found: String
  let expected: String
}
