import Foundation
import ImageIO
import Testing

/// Files made by scripts/fixtures/images.py.
enum Fixture {
  static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("Fixtures").path

  struct Index: Decodable {
    let png: [String]
    let jpeg: [String]
    let exif: [String]
    let resize: [ResizeCase]
  }

  struct ResizeCase: Decodable, CustomStringConvertible {
    let source: String
    let width: Int
    let height: Int
    let filter: String
    let expected: String
    var description: String { expected }

    init(from decoder: any Decoder) throws {
      var values = try decoder.unkeyedContainer()
      source = try values.decode(String.self)
      width = try values.decode(Int.self)
      height = try values.decode(Int.self)
      filter = try values.decode(String.self)
      expected = try values.decode(String.self)
    }
  }

  static func index() throws -> Index {
    try JSONDecoder().decode(Index.self, from: Data(bytes("index.json")))
  }

  static func path(_ name: String) -> String { "\(folder)/\(name)" }

  static func bytes(_ name: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: URL(fileURLWithPath: path(name))))
  }

  /// The pixels of `NAME.ppm`, made by Pillow.
  static func expected(_ name: String) throws -> Image {
    let file = try bytes("\(name).ppm")
    let header = file.prefix { $0 != 10 }
    let fields = String(decoding: header, as: UTF8.self).split(separator: " ").compactMap {
      Int($0)
    }
    try #require(fields.count == 3 && fields[2] == 255)
    return Image(width: fields[0], height: fields[1], pixels: [UInt8](file[(header.count + 1)...]))
  }
}

/// Checks sizes, and that no channel differs by more than `tolerance` grey levels.
func expectSame(
  _ image: Image, _ expected: Image, tolerance: Int = 0, _ name: String,
  sourceLocation: SourceLocation = #_sourceLocation
) {
  #expect(
    image.width == expected.width && image.height == expected.height, "\(name)",
    sourceLocation: sourceLocation)
  let worst = zip(image.pixels, expected.pixels).map { abs(Int($0) - Int($1)) }.max() ?? 0
  #expect(
    worst <= tolerance, "\(name): differs by up to \(worst) levels", sourceLocation: sourceLocation)
}

/// Runs `body` and returns the `ImageError` that it must throw.
func imageError(
  _ name: String = "", sourceLocation: SourceLocation = #_sourceLocation,
  from body: () throws(ImageError) -> Void
) throws -> ImageError {
  do {
    try body()
  } catch {
    return error
  }
  Issue.record("\(name): no error", sourceLocation: sourceLocation)
  throw ImageError(file: name, reason: .corrupt, detail: "no error")
}

/// A folder that is removed with everything in it when `body` returns.
func withTemporaryFolder(_ body: (String) throws -> Void) throws {
  let folder = FileManager.default.temporaryDirectory
    .appendingPathComponent("imgen-\(UUID().uuidString)")
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  try body(folder.path)
}

/// A picture of pseudo-random pixels.
func noise(_ width: Int, _ height: Int, seed: UInt64 = 1) -> Image {
  var generator = SplitMix64(state: seed)
  return Image(
    width: width, height: height,
    pixels: (0..<width * height * 3).map { _ in UInt8(truncatingIfNeeded: generator.next()) })
}

/// Steele, Lea and Flood 2014; the same numbers on every run.
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
