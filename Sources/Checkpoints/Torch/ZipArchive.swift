/// The members of a zip archive whose members are stored without compression, as torch writes it.
///
/// Source: PKWARE APPNOTE 6.3.10, sections 4.3.7 (local header), 4.3.12 (central directory), 4.3.14
/// to 4.3.16 (zip64 and end of central directory) and 4.5.3 (zip64 extra field).
struct ZipArchive {
  /// Where the bytes of each member are.
  let members: [String: Range<Int>]

  private static let directoryLimit = 64 << 20

  /// Reads and checks the directory.
  ///
  /// - Throws: `CheckpointError.malformed` for compressed, encrypted, overlapping or repeated
  ///   members and for any that reaches outside of the file.
  init(_ file: InputFile) throws(CheckpointError) {
    let (directory, count) = try ZipArchive.findDirectory(file)
    let bytes = try file.bytes(at: directory.lowerBound, directory.count)
    var cursor = ByteCursor(bytes)
    var members: [String: Range<Int>] = [:]
    var spans: [(name: String, range: Range<Int>)] = []
    for _ in 0..<count {
      guard let member = Member(&cursor) else {
        throw ZipArchive.broken(file, "a damaged directory", "\(count) members in it")
      }
      try member.check(file)
      let data = try member.data(in: file, before: directory.lowerBound)
      guard members.updateValue(data, forKey: member.name) == nil else {
        throw ZipArchive.broken(file, "member \"\(member.name)\" twice", "every member once")
      }
      spans.append((member.name, member.headerOffset..<data.upperBound))
    }
    spans.sort { $0.range.lowerBound < $1.range.lowerBound }
    for (first, second) in zip(spans, spans.dropFirst())
    where first.range.upperBound > second.range.lowerBound {
      throw ZipArchive.broken(
        file, "members \"\(first.name)\" and \"\(second.name)\" in the same place",
        "members beside each other")
    }
    self.members = members
  }

  static func broken(_ file: InputFile, _ found: String, _ expected: String) -> CheckpointError {
    .malformed(file: file.path, found: found, expected: expected)
  }

  /// Where the central directory is and how many members it lists.
  private static func findDirectory(
    _ file: InputFile
  ) throws(CheckpointError) -> (Range<Int>, count: Int) {
    let tailStart = max(0, file.byteCount - 22 - 65_535)
    let tail = try file.bytes(at: tailStart, file.byteCount - tailStart)
    guard tail.count >= 22,
      let end = (0...tail.count - 22).last(where: { isEnd(tail, $0) })
    else { throw broken(file, "no directory at the end", "that of a zip archive") }
    var cursor = ByteCursor(tail, at: end + 8)
    guard cursor.integer(UInt16.self) != nil, let count = cursor.integer(UInt16.self),
      let size = cursor.integer(UInt32.self), let offset = cursor.integer(UInt32.self)
    else { throw broken(file, "half a directory", "that of a zip archive") }
    let isLarge = count == .max || size == .max || offset == .max
    let (start, length, members) =
      isLarge
      ? try largeDirectory(file, tail, end)
      : (UInt64(offset), UInt64(size), UInt64(count))
    let limit = UInt64(tailStart + end)
    guard length <= UInt64(directoryLimit), start <= limit, length <= limit - start,
      members <= length / 46
    else {
      throw broken(
        file, "a directory of \(members) members and \(length) bytes at \(start)",
        "one of at most \(directoryLimit) bytes inside the file")
    }
    return (Int(start)..<Int(start + length), Int(members))
  }

  /// Whether the end record is at `offset`: its comment must reach the end of the file.
  private static func isEnd(_ tail: [UInt8], _ offset: Int) -> Bool {
    guard tail[offset] == 0x50, tail[offset + 1] == 0x4B, tail[offset + 2] == 5,
      tail[offset + 3] == 6
    else { return false }
    let comment = Int(tail[offset + 20]) | Int(tail[offset + 21]) << 8
    return offset + 22 + comment == tail.count
  }

  private static func largeDirectory(
    _ file: InputFile, _ tail: [UInt8], _ end: Int
  ) throws(CheckpointError) -> (start: UInt64, length: UInt64, members: UInt64) {
    let problem = broken(file, "a damaged zip64 record", "that of a large zip archive")
    guard end >= 20 else { throw problem }
    var locator = ByteCursor(tail, at: end - 20)
    guard locator.integer(UInt32.self) == 0x0706_4B50, locator.take(4) != nil,
      let offset = locator.integer(UInt64.self), offset <= UInt64(max(0, file.byteCount - 56))
    else { throw problem }
    var record = ByteCursor(try file.bytes(at: Int(offset), 56))
    guard record.integer(UInt32.self) == 0x0606_4B50, record.take(28) != nil,
      let members = record.integer(UInt64.self), let length = record.integer(UInt64.self),
      let start = record.integer(UInt64.self)
    else { throw problem }
    return (start, length, members)
  }
}

/// One entry of the central directory.
private struct Member {
  let name: String
  let flags: UInt16
  let method: UInt16
  let storedSize: UInt64
  let size: UInt64
  let headerStart: UInt64

  /// Where its local header begins, once `check` has passed.
  var headerOffset: Int { Int(headerStart) }

  /// Reads the entry at the cursor; `nil` when it is damaged.
  init?(_ cursor: inout ByteCursor) {
    guard cursor.integer(UInt32.self) == 0x0201_4B50, cursor.take(4) != nil,
      let flags = cursor.integer(UInt16.self), let method = cursor.integer(UInt16.self),
      cursor.take(8) != nil, let storedSize = cursor.integer(UInt32.self),
      let size = cursor.integer(UInt32.self), let nameLength = cursor.integer(UInt16.self),
      let extraLength = cursor.integer(UInt16.self),
      let commentLength = cursor.integer(UInt16.self), cursor.take(8) != nil,
      let header = cursor.integer(UInt32.self), let name = cursor.take(Int(nameLength)),
      let extra = cursor.take(Int(extraLength)), cursor.take(Int(commentLength)) != nil,
      let text = String(validating: name, as: UTF8.self)
    else { return nil }
    var large = Member.largeFields(Array(extra))
    // The fields that do not fit are in the extra field, in this order.
    guard let wideSize = large.widened(size), let wideStored = large.widened(storedSize),
      let wideHeader = large.widened(header)
    else { return nil }
    (self.name, self.flags, self.method) = (text, flags, method)
    (self.storedSize, self.size, headerStart) = (wideStored, wideSize, wideHeader)
  }

  /// The body of the zip64 extra field, empty without one.
  private static func largeFields(_ extra: [UInt8]) -> ByteCursor {
    var cursor = ByteCursor(extra)
    while let id = cursor.integer(UInt16.self), let length = cursor.integer(UInt16.self),
      let body = cursor.take(Int(length))
    {
      if id == 1 { return ByteCursor(Array(body)) }
    }
    return ByteCursor([])
  }

  func check(_ file: InputFile) throws(CheckpointError) {
    guard method == 0, storedSize == size else {
      throw ZipArchive.broken(
        file, "member \"\(name)\" compressed by method \(method)",
        "stored members, as torch.save makes them")
    }
    guard flags & 1 == 0 else {
      throw ZipArchive.broken(file, "encrypted member \"\(name)\"", "members anyone can read")
    }
    guard headerStart <= UInt64(max(0, file.byteCount - 30)), size <= UInt64(file.byteCount) else {
      throw ZipArchive.broken(
        file, "member \"\(name)\" of \(size) bytes at \(headerStart)",
        "a place inside the file of \(file.byteCount) bytes")
    }
  }

  /// Where its bytes are, which follows from the lengths in its local header.
  func data(in file: InputFile, before end: Int) throws(CheckpointError) -> Range<Int> {
    var local = ByteCursor(try file.bytes(at: headerOffset, 30))
    guard local.integer(UInt32.self) == 0x0403_4B50, local.take(22) != nil,
      let nameLength = local.integer(UInt16.self), let extraLength = local.integer(UInt16.self),
      Int(nameLength) == name.utf8.count
    else {
      throw ZipArchive.broken(file, "a damaged header of member \"\(name)\"", "a local header")
    }
    let start = headerOffset + 30 + Int(nameLength) + Int(extraLength)
    guard start <= end, Int(size) <= end - start else {
      throw ZipArchive.broken(
        file, "member \"\(name)\" of \(size) bytes at \(start)", "an end before the directory")
    }
    return start..<start + Int(size)
  }
}

extension ByteCursor {
  /// `field`, or the next 64-bit number when that says so; `nil` when there is none.
  fileprivate mutating func widened(_ field: UInt32) -> UInt64? {
    field == .max ? integer(UInt64.self) : UInt64(field)
  }
}
