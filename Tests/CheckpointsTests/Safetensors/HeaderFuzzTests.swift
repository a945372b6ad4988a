import Checkpoints
import ComputeCore
import Foundation
import Testing

/// Headers that are wrong in ways that matter, thousands of them, each of which must be refused.
@Suite struct HeaderFuzzTests {
  private let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
  }

  /// One tensor as the header writes it; numbers are texts, so that they can be anything.
  private struct Entry {
    var key: String
    var dtype = "F32"
    var shape = ["2", "3"]
    var offsets: [String]

    var json: String {
      "\"\(key)\":{\"dtype\":\"\(dtype)\",\"shape\":[\(shape.joined(separator: ","))],"
        + "\"data_offsets\":[\(offsets.joined(separator: ","))]}"
    }
  }

  private static func entries() -> [Entry] {
    (0..<6).map { Entry(key: "t\($0)", offsets: ["\($0 * 24)", "\($0 * 24 + 24)"]) }
  }

  private func isRefused(_ json: [UInt8], length: UInt64? = nil, data: Int = 144) -> Bool {
    let path = folder.file("hostile.safetensors")
    let prefix = withUnsafeBytes(of: (length ?? UInt64(json.count)).littleEndian, Array.init)
    let bytes = prefix + json + [UInt8](repeating: 0, count: data)
    _ = FileManager.default.createFile(atPath: path, contents: Data(bytes))
    do throws(CheckpointError) {
      _ = try SafetensorsFile(path)
      return false
    } catch {
      return true
    }
  }

  private func header(_ entries: [Entry]) -> [UInt8] {
    Array("{\(entries.map(\.json).joined(separator: ","))}".utf8)
  }

  @Test func theUnchangedHeaderOpens() {
    #expect(!isRefused(header(Self.entries())))
  }

  private static let numbers = [
    "1152921504606846976", "9223372036854775807", "9223372036854775808", "18446744073709551615",
    "340282366920938463463374607431768211456", "4611686018427387904", "-1", "-24", "1e3", "2.0",
    "0x10", "null", "true", "\"2\"", "[2]", "{}", "", "+1", "01", "NaN", "2147483648", "4294967295",
    "1", "25", "143", "145", "7",
  ]

  /// Each way of breaking a header; what it makes is never right.
  @Test(arguments: 0..<8) func brokenHeadersAreRefused(_ way: Int) {
    var random = SplitMix64(state: UInt64(way) + 1)
    for round in 0..<400 {
      var entries = Self.entries()
      let victim = Int.random(in: 0..<6, using: &random)
      let number = Self.numbers.randomElement(using: &random) ?? ""
      var json: [UInt8]?
      switch way {
      case 0: entries[victim].offsets[0] = number
      case 1: entries[victim].offsets[1] = number
      case 2: entries[victim].shape[round % 2] = number
      case 3: entries[victim].dtype = ["F16", "F64", "I8", "F31", "", "f32", "BOOL"][round % 7]
      case 4: entries[victim].key = "t\((victim + 1 + round % 5) % 6)"
      case 5:
        // Overlaps: two tensors of the same bytes, and one of another's half.
        let other = (victim + 1 + round % 5) % 6
        entries[victim].offsets = round % 2 == 0 ? entries[other].offsets : ["12", "36"]
      case 6: json = Array(header(entries).dropLast(Int.random(in: 1...200, using: &random)))
      default:
        let depth = Int.random(in: 1...2_000, using: &random)
        let nested = String(repeating: round % 2 == 0 ? "[" : "{\"a\":", count: depth)
        json = Array("{\"t0\":\(nested)".utf8)
      }
      let text = json ?? header(entries)
      #expect(
        isRefused(text), "way \(way), round \(round): \(String(decoding: text, as: UTF8.self))")
    }
  }

  @Test func textsThatAreNoUTF8AreRefused() {
    let good = header(Self.entries())
    for byte in [0x80, 0xC0, 0xF5, 0xFF] as [UInt8] {
      for place in good.indices where good[place] == UInt8(ascii: "t") {
        var bad = good
        bad[place] = byte
        #expect(isRefused(bad))
      }
    }
  }

  @Test func headersLongerThanTheFileOrTheLimitAreRefused() throws {
    let json = header(Self.entries())
    let lengths: [UInt64] = [
      1 << 31, 1 << 60, .max, 1 << 63, 100_000_001, UInt64(json.count) + 145,
    ]
    for length in lengths { #expect(isRefused(json, length: length)) }
    // A header of 2 GB that is really there, as a file with a hole.
    let path = folder.file("hole.safetensors")
    let prefix = withUnsafeBytes(of: UInt64(1 << 31).littleEndian, Array.init)
    _ = FileManager.default.createFile(atPath: path, contents: Data(prefix + json))
    let file = try #require(FileHandle(forWritingAtPath: path))
    try file.truncate(atOffset: 1 << 31 + 100)
    #expect(throws: CheckpointError.self) { try SafetensorsFile(path) }
  }
}
