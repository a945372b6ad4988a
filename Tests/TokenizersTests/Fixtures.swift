import Foundation
import Tokenizers

/// What scripts/fixtures/tokenizer_ids.py wrote.
struct Fixture: Decodable {
  /// A text encoded to a fixed length.
  struct Padded: Decodable {
    let text: String
    let ids: [Int32]
    let mask: [Int32]
  }

  /// Texts encoded with other settings than the standard ones.
  struct Variant: Decodable {
    struct Config: Decodable {
      let doLowerCase: Bool?
      let stripAccents: Bool?
      let tokenizeChineseChars: Bool?
    }
    let config: Config
    let texts: [String]
    let ids: [[Int32]]
  }

  let texts: [String]
  let ids: [[Int32]]
  let padded: [Padded]
  let padded2: [Padded]?
  let decoded: [String]?
  let variants: [Variant]?

  static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("Fixtures")

  init(_ name: String) throws {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    self = try decoder.decode(
      Fixture.self, from: Data(contentsOf: Self.folder.appendingPathComponent(name)))
  }
}

/// The indices at which `tokenizer` gives other ids than the reference, with both.
func differences(_ tokenizer: some Tokenizer, _ texts: [String], _ ids: [[Int32]]) -> [String] {
  zip(texts, ids).compactMap { text, expected in
    let actual = tokenizer.encodeUnpadded(text)
    if actual == expected { return nil }
    let scalars = text.unicodeScalars.prefix(40).map { String($0.value, radix: 16) }
    return "\(scalars.joined(separator: " ")): \(actual), expected \(expected)"
  }
}

/// A new folder with the given files, removed after `body`.
func withFolder<T>(_ files: [String: String], _ body: (URL) throws -> T) throws -> T {
  let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  for (name, text) in files {
    try Data(text.utf8).write(to: folder.appendingPathComponent(name))
  }
  return try body(folder)
}
