/// A JSON value whose texts are UTF-8 bytes and whose objects keep their order.
///
/// Foundation reads objects into `[String: …]`, where two vocabulary entries that are canonically
/// equivalent (U+2126 and U+03A9) fall together. Token ids depend on keeping them apart.
enum JSONValue {
  case null
  case bool(Bool)
  case number(Double)
  case text([UInt8])
  case array([JSONValue])
  case object([(key: [UInt8], value: JSONValue)])

  /// The last value of `key` in an object, nil for other kinds of value.
  subscript(_ key: String) -> JSONValue? {
    guard case .object(let members) = self else { return nil }
    return members.last { $0.key.elementsEqual(key.utf8) }?.value
  }

  var string: String? {
    if case .text(let bytes) = self { String(decoding: bytes, as: UTF8.self) } else { nil }
  }

  var bool: Bool? {
    if case .bool(let value) = self { value } else { nil }
  }

  /// The value as an integer, nil if it has a fraction or does not fit.
  var int32: Int32? {
    if case .number(let value) = self { Int32(exactly: value) } else { nil }
  }

  var array: [JSONValue]? {
    if case .array(let values) = self { values } else { nil }
  }
}

/// What was wrong with a JSON text, and where.
struct JSONSyntaxError: Error, CustomStringConvertible {
  let offset: Int
  let expected: String

  var description: String { "not JSON at byte \(offset): expected \(expected)" }
}

/// A recursive descent reader of one JSON text (RFC 8259).
struct JSONReader {
  private static let maximumDepth = 64

  private let bytes: [UInt8]
  private var index = 0
  private var depth = 0

  private init(_ bytes: [UInt8]) {
    self.bytes = bytes
  }

  /// Reads `bytes` as one value with nothing but white space around it.
  static func read(_ bytes: [UInt8]) throws(JSONSyntaxError) -> JSONValue {
    var reader = JSONReader(bytes)
    let value = try reader.value()
    reader.skipSpace()
    guard reader.index == bytes.count else { throw reader.error("the end of the file") }
    return value
  }

  private func error(_ expected: String) -> JSONSyntaxError {
    JSONSyntaxError(offset: index, expected: expected)
  }

  private var current: UInt8? { index < bytes.count ? bytes[index] : nil }

  private mutating func skipSpace() {
    while let byte = current, [0x20, 0x0A, 0x0D, 0x09].contains(byte) { index += 1 }
  }

  /// Steps over `character`, which must come next after white space.
  private mutating func expect(_ character: Unicode.Scalar) throws(JSONSyntaxError) {
    guard skip(character) else { throw error("\"\(character)\"") }
  }

  private mutating func skip(_ character: Unicode.Scalar) -> Bool {
    skipSpace()
    guard let byte = current, byte == character.value else { return false }
    index += 1
    return true
  }

  private mutating func value() throws(JSONSyntaxError) -> JSONValue {
    skipSpace()
    guard let byte = current else { throw error("a value") }
    switch byte {
    case UInt8(ascii: "\""): return .text(try text())
    case UInt8(ascii: "{"), UInt8(ascii: "["):
      guard depth < Self.maximumDepth else { throw error("less nesting") }
      depth += 1
      defer { depth -= 1 }
      return byte == UInt8(ascii: "{") ? .object(try members()) : .array(try elements())
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number(try number())
    default:
      for (word, value) in [
        ("true", JSONValue.bool(true)), ("false", .bool(false)), ("null", .null),
      ]
      where bytes[index...].starts(with: word.utf8) {
        index += word.utf8.count
        return value
      }
      throw error("a value")
    }
  }

  private mutating func members() throws(JSONSyntaxError) -> [(key: [UInt8], value: JSONValue)] {
    var members: [(key: [UInt8], value: JSONValue)] = []
    try expect("{")
    if skip("}") { return members }
    repeat {
      skipSpace()
      let key = try text()
      try expect(":")
      members.append((key, try value()))
    } while skip(",")
    try expect("}")
    return members
  }

  private mutating func elements() throws(JSONSyntaxError) -> [JSONValue] {
    var elements: [JSONValue] = []
    try expect("[")
    if skip("]") { return elements }
    repeat {
      elements.append(try value())
    } while skip(",")
    try expect("]")
    return elements
  }

  private mutating func number() throws(JSONSyntaxError) -> Double {
    let start = index
    while let byte = current, "+-.eE0123456789".utf8.contains(byte) { index += 1 }
    guard let value = Double(String(decoding: bytes[start..<index], as: UTF8.self)) else {
      throw error("a number")
    }
    return value
  }

  private mutating func text() throws(JSONSyntaxError) -> [UInt8] {
    guard current == UInt8(ascii: "\"") else { throw error("\"\"\"") }
    index += 1
    var result: [UInt8] = []
    while let byte = current {
      index += 1
      switch byte {
      case UInt8(ascii: "\""): return result
      case UInt8(ascii: "\\"): result.append(contentsOf: try escape())
      default: result.append(byte)
      }
    }
    throw error("the end of a text")
  }

  /// The UTF-8 of the escape after a backslash; half a surrogate pair becomes U+FFFD.
  private mutating func escape() throws(JSONSyntaxError) -> [UInt8] {
    guard let byte = current else { throw error("an escape") }
    index += 1
    switch byte {
    case UInt8(ascii: "n"): return [0x0A]
    case UInt8(ascii: "t"): return [0x09]
    case UInt8(ascii: "r"): return [0x0D]
    case UInt8(ascii: "b"): return [0x08]
    case UInt8(ascii: "f"): return [0x0C]
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [byte]
    case UInt8(ascii: "u"):
      var units = [try codeUnit()]
      if UTF16.isLeadSurrogate(units[0]), bytes[index...].starts(with: "\\u".utf8) {
        index += 2
        units.append(try codeUnit())
      }
      return Array(String(decoding: units, as: UTF16.self).utf8)
    default: throw error("an escape")
    }
  }

  private mutating func codeUnit() throws(JSONSyntaxError) -> UInt16 {
    let digits = String(decoding: bytes[index...].prefix(4), as: UTF8.self)
    guard digits.utf8.count == 4, let unit = UInt16(digits, radix: 16) else {
      throw error("four hexadecimal digits")
    }
    index += 4
    return unit
  }
}
