/// Reads the subset of JSON (RFC 8259) that a safetensors header uses, strictly.
///
/// That is: objects, strings and lists of non-negative integers. A key that occurs twice in an
/// object is refused, which general JSON readers do not do. Nothing recurses on the input's word.
struct HeaderParser {
  private let bytes: [UInt8]
  private var position = 0

  init(_ bytes: [UInt8]) {
    self.bytes = bytes
  }

  /// Reads an object; `member` must read the value of the key it is given.
  mutating func object(
    _ member: (inout HeaderParser, String) throws(HeaderError) -> Void
  ) throws(HeaderError) {
    var keys: Set<String> = []
    try expect("{")
    if skip("}") { return }
    repeat {
      let key = try string()
      guard keys.insert(key).inserted else {
        throw HeaderError(found: "key \"\(key)\" twice", expected: "every key once")
      }
      try expect(":")
      try member(&self, key)
    } while skip(",")
    try expect("}")
  }

  /// Reads a list of integers that are at least 0 and at most 2⁶³ − 1.
  mutating func integers() throws(HeaderError) -> [Int] {
    var numbers: [Int] = []
    try expect("[")
    if skip("]") { return [] }
    repeat { numbers.append(try integer()) } while skip(",")
    try expect("]")
    return numbers
  }

  /// Reads a string with its escapes.
  mutating func string() throws(HeaderError) -> String {
    try expect("\"")
    var text: [UInt8] = []
    while let byte = next() {
      switch byte {
      case UInt8(ascii: "\""):
        guard let string = String(validating: text, as: UTF8.self) else {
          throw HeaderError(found: "a string that is not UTF-8", expected: "UTF-8")
        }
        return string
      case UInt8(ascii: "\\"): text += try escape()
      case 0..<0x20: throw unexpected("a string without control characters")
      default: text.append(byte)
      }
    }
    throw unexpected("\"\"\" at the end of a string")
  }

  /// Makes sure that only spaces follow.
  mutating func end() throws(HeaderError) {
    skipWhitespace()
    guard position == bytes.count else { throw unexpected("the end of the header") }
  }

  private mutating func integer() throws(HeaderError) -> Int {
    skipWhitespace()
    let start = position
    var number = 0
    while position < bytes.count, case let digit = bytes[position], (0x30...0x39).contains(digit) {
      let (tens, overflow) = number.multipliedReportingOverflow(by: 10)
      let (sum, carry) = tens.addingReportingOverflow(Int(digit) - 0x30)
      if overflow || carry {
        throw HeaderError(found: "a number beyond 63 bits", expected: "sizes below 2^63")
      }
      number = sum
      position += 1
    }
    let hasLeadingZero = position > start + 1 && bytes[start] == 0x30
    guard position > start, !hasLeadingZero else { throw unexpected("an integer, 0 or more") }
    return number
  }

  /// Reads what follows a backslash and returns it as UTF-8.
  private mutating func escape() throws(HeaderError) -> [UInt8] {
    switch next() {
    case UInt8(ascii: "n"): return [0x0A]
    case UInt8(ascii: "t"): return [0x09]
    case UInt8(ascii: "r"): return [0x0D]
    case UInt8(ascii: "b"): return [0x08]
    case UInt8(ascii: "f"): return [0x0C]
    case UInt8(ascii: "u"): return try unicodeEscape()
    case .some(let byte)
    where [UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/")]
      .contains(byte):
      return [byte]
    default: throw unexpected("a JSON escape")
    }
  }

  private mutating func unicodeEscape() throws(HeaderError) -> [UInt8] {
    var code = try hexadecimal()
    if (0xD800..<0xDC00).contains(code) {
      guard next() == UInt8(ascii: "\\"), next() == UInt8(ascii: "u"),
        case let low = try hexadecimal(), (0xDC00..<0xE000).contains(low)
      else { throw unexpected("the second half of a surrogate pair") }
      code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
    }
    guard let scalar = Unicode.Scalar(code) else { throw unexpected("a Unicode character") }
    return Array(String(Character(scalar)).utf8)
  }

  private mutating func hexadecimal() throws(HeaderError) -> UInt32 {
    var code: UInt32 = 0
    for _ in 0..<4 {
      guard let byte = next(), let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
        throw unexpected("four hexadecimal digits")
      }
      code = code << 4 | UInt32(digit)
    }
    return code
  }

  private mutating func next() -> UInt8? {
    guard position < bytes.count else { return nil }
    defer { position += 1 }
    return bytes[position]
  }

  private mutating func skipWhitespace() {
    while position < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[position]) {
      position += 1
    }
  }

  private mutating func skip(_ mark: Unicode.Scalar) -> Bool {
    skipWhitespace()
    guard position < bytes.count, bytes[position] == UInt8(ascii: mark) else { return false }
    position += 1
    return true
  }

  private mutating func expect(_ mark: Unicode.Scalar) throws(HeaderError) {
    guard skip(mark) else { throw unexpected("\"\(mark)\"") }
  }

  private func unexpected(_ expected: String) -> HeaderError {
    let found =
      position < bytes.count
      ? "byte 0x\(String(bytes[position], radix: 16)) at \(position) of the header"
      : "the end of the header"
    return HeaderError(found: found, expected: expected)
  }
}
