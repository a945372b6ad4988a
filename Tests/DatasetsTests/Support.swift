import Datasets
import Foundation
import ImageIO
import Testing

/// A folder that is removed with everything in it when `body` returns.
func withTemporaryFolder(_ body: (TemporaryFolder) throws -> Void) throws {
  let path = FileManager.default.temporaryDirectory
    .appendingPathComponent("imgen-\(UUID().uuidString)").path
  let folder = TemporaryFolder(path: path)
  try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(atPath: path) }
  try body(folder)
}

struct TemporaryFolder {
  let path: String

  func callAsFunction(_ name: String) -> String { "\(path)/\(name)" }

  /// Writes a file, with the folders that it needs.
  func write(_ name: String, _ text: String) throws { try write(name, Array(text.utf8)) }

  func write(_ name: String, _ bytes: [UInt8]) throws {
    try makeFolder(String(name.split(separator: "/").dropLast().joined(separator: "/")))
    try Data(bytes).write(to: URL(fileURLWithPath: self(name)))
  }

  func writePNG(_ name: String, _ image: Image = Image(width: 2, height: 2)) throws {
    try write(name, image.pngData())
  }

  func writeJPEG(_ name: String, _ image: Image, quality: Int = 92) throws {
    try write(name, image.jpegData(quality: quality))
  }

  func makeFolder(_ name: String) throws {
    try FileManager.default.createDirectory(
      atPath: self(name), withIntermediateDirectories: true)
  }

  func link(_ name: String, to target: String) throws {
    try FileManager.default.createSymbolicLink(atPath: self(name), withDestinationPath: target)
  }
}

/// Runs `body` and returns the `DatasetError` that it must throw.
func datasetError(
  sourceLocation: SourceLocation = #_sourceLocation,
  from body: () throws(DatasetError) -> Void
) throws -> DatasetError {
  let error = #expect(throws: DatasetError.self, sourceLocation: sourceLocation) {
    () throws -> Void in try body()
  }
  return try #require(error, sourceLocation: sourceLocation)
}

/// A scene of soft light with sharp discs in it; other seeds, other scenes.
func scene(_ width: Int, _ height: Int, seed: UInt64) -> Image {
  var generator = SplitMix64(seed: seed)
  struct Disc {
    let x: Double
    let y: Double
    let radius: Double
    let color: [Double]
  }
  let discs = (0..<14).map { _ in
    Disc(
      x: generator.unit(), y: generator.unit(), radius: 0.05 + 0.2 * generator.unit(),
      color: (0..<3).map { _ in 255 * generator.unit() })
  }
  let slope = (0..<6).map { _ in 255 * generator.unit() }
  var pixels: [UInt8] = []
  pixels.reserveCapacity(width * height * 3)
  for row in 0..<height {
    for column in 0..<width {
      let x = (Double(column) + 0.5) / Double(width)
      let y = (Double(row) + 0.5) / Double(height)
      let disc = discs.last {
        ($0.x - x) * ($0.x - x) + ($0.y - y) * ($0.y - y) < $0.radius * $0.radius
      }
      for c in 0..<3 {
        pixels.append(UInt8(disc?.color[c] ?? (slope[c] * x + slope[c + 3] * (1 - x)) * y))
      }
    }
  }
  return Image(width: width, height: height, pixels: pixels)
}

/// The picture blurred by a Gaussian of the given deviation, edges repeated.
func blurred(_ image: Image, deviation: Double) -> Image {
  let radius = Int((3 * deviation).rounded(.up))
  let weights = (-radius...radius).map { exp(-Double($0 * $0) / (2 * deviation * deviation)) }
  let total = weights.reduce(0, +)
  func pass(_ values: [Double], stepX: Int, stepY: Int) -> [Double] {
    var result = values
    for y in 0..<image.height {
      for x in 0..<image.width {
        for c in 0..<3 {
          var sum = 0.0
          for (k, weight) in weights.enumerated() {
            let column = min(image.width - 1, max(0, x + (k - radius) * stepX))
            let row = min(image.height - 1, max(0, y + (k - radius) * stepY))
            sum += weight * values[3 * (row * image.width + column) + c]
          }
          result[3 * (y * image.width + x) + c] = sum / total
        }
      }
    }
    return result
  }
  let rows = pass(image.pixels.map(Double.init), stepX: 1, stepY: 0)
  let both = pass(rows, stepX: 0, stepY: 1)
  return Image(
    width: image.width, height: image.height,
    pixels: both.map { UInt8(min(255, max(0, $0.rounded()))) })
}
