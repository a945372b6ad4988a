import Checkpoints
import ComputeCore
import Foundation
import Testing

/// A safetensors file in `Fixtures/`, written by `scripts/fixtures/schedulers.py`.
struct Fixture {
  let file: SafetensorsFile

  init(_ name: String) throws {
    let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    file = try SafetensorsFile(folder.appending(path: "Fixtures/\(name).safetensors").path)
  }

  func contains(_ key: String) -> Bool { file.shape(of: key) != nil }

  /// A tensor stored as numbers of any kind.
  func tensor(_ key: String) throws -> Tensor {
    guard file.dtype(of: key) == .i32 else { return try file.tensor(key) }
    return Tensor(try file.int32s(key).map(Float.init), file.shape(of: key) ?? [])
  }

  func values(_ key: String) throws -> [Float] { try tensor(key).values }

  /// The only element.
  func value(_ key: String) throws -> Float { try tensor(key).item }

  /// A metadata value, which is JSON with snake-case keys.
  func metadata<T: Decodable>(_ key: String, as type: T.Type = T.self) throws -> T {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return try decoder.decode(type, from: Data(#require(file.metadata[key]).utf8))
  }

  /// The cases a file holds by name: dictionary keys are left as they are.
  func cases() throws -> [String: FixtureCase] { try metadata("cases") }
}

/// Checks that two lists of numbers are equal within `absolute + relative · |expected|`.
func expectClose(
  _ found: [Float], _ expected: [Float], absolute: Float = 0, relative: Float = 0,
  _ label: String = "", sourceLocation: SourceLocation = #_sourceLocation
) {
  guard found.count == expected.count else {
    Issue.record(
      "\(label): \(found.count) numbers, expected \(expected.count)",
      sourceLocation: sourceLocation)
    return
  }
  let far = found.indices.first {
    !(abs(found[$0] - expected[$0]) <= absolute + relative * abs(expected[$0]))
  }
  if let far {
    Issue.record(
      "\(label): number \(far) is \(found[far]), expected \(expected[far])",
      sourceLocation: sourceLocation)
  }
}

/// Checks that two tensors have the same shape and close numbers.
func expectClose(
  _ found: Tensor, _ expected: Tensor, absolute: Float = 0, relative: Float = 0,
  _ label: String = "", sourceLocation: SourceLocation = #_sourceLocation
) {
  #expect(found.shape == expected.shape, "\(label)", sourceLocation: sourceLocation)
  expectClose(
    found.values, expected.values, absolute: absolute, relative: relative, label,
    sourceLocation: sourceLocation)
}
