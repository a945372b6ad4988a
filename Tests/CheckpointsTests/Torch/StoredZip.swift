import Foundation

/// A zip archive of stored members, made field by field so that tests can get each of them wrong.
struct StoredZip {
  /// One member; every field can be set to something untrue.
  struct Member {
    var name: String
    var data: [UInt8]
    var method: UInt16 = 0
    var flags: UInt16 = 0
    /// Size in the directory, the data's when `nil`.
    var size: UInt32?
    /// Place of the local header, the true one when `nil`.
    var headerOffset: UInt32?
  }

  var members: [Member]

  init(_ members: [(String, [UInt8])]) {
    self.members = members.map { Member(name: $0.0, data: $0.1) }
  }

  /// A torch file with this pickle and one storage of eight bytes.
  static func torch(_ pickle: [UInt8]) -> StoredZip {
    StoredZip([("a/data.pkl", pickle), ("a/data/0", [UInt8](repeating: 1, count: 8))])
  }

  var bytes: [UInt8] {
    var file: [UInt8] = []
    var directory: [UInt8] = []
    for member in members {
      let start = UInt32(file.count)
      let size = UInt32(member.data.count)
      let name = Array(member.name.utf8)
      file += little(UInt32(0x0403_4B50)) + little(UInt16(20)) + little(member.flags)
      file += little(member.method) + [UInt8](repeating: 0, count: 8) + little(size) + little(size)
      file += little(UInt16(name.count)) + little(UInt16(0)) + name + member.data
      directory += little(UInt32(0x0201_4B50)) + little(UInt16(20)) + little(UInt16(20))
      directory += little(member.flags) + little(member.method) + [UInt8](repeating: 0, count: 8)
      directory += little(member.size ?? size) + little(member.size ?? size)
      directory += little(UInt16(name.count)) + [UInt8](repeating: 0, count: 12)
      directory += little(member.headerOffset ?? start) + name
    }
    let start = UInt32(file.count)
    file += directory + little(UInt32(0x0605_4B50)) + little(UInt32(0))
    file += little(UInt16(members.count)) + little(UInt16(members.count))
    return file + little(UInt32(directory.count)) + little(start) + little(UInt16(0))
  }

  private func little<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
    withUnsafeBytes(of: value.littleEndian, Array.init)
  }
}

/// A small generator, so that a failing round can be repeated.
struct SplitMix64: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
