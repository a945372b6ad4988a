import Datasets
import Foundation
import ImageIO
import Testing

@Suite struct PerceptualHashTests {
  /// The pictures and hashes that scripts/fixtures/perceptual_hash.py made.
  private static func fixtures() throws -> [(name: String, image: Image, hash: PerceptualHash)] {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../Fixtures").path
    let data = try Data(contentsOf: URL(fileURLWithPath: "\(folder)/phash.json"))
    return try JSONDecoder().decode([String: String].self, from: data).map { name, hex in
      let bits = try #require(UInt64(hex, radix: 16))
      return (name, try Image(contentsOf: "\(folder)/\(name)"), PerceptualHash(bits: bits))
    }
  }

  @Test func bitsAreThoseOfImageHash() throws {
    let fixtures = try Self.fixtures()
    #expect(fixtures.count == 6)
    for (name, image, expected) in fixtures {
      // ImageHash rounds the brightness to whole levels before it scales, which may turn a bit or
      // two near the median; nothing is scaled in the small ones.
      let tolerance = name.contains("small") ? 0 : 2
      #expect(PerceptualHash(image).distance(to: expected) <= tolerance, "\(name)")
    }
  }

  @Test func otherPicturesAreFarApart() {
    let hashes = (0..<20).map { PerceptualHash(scene(64, 64, seed: $0)) }
    for i in hashes.indices {
      for j in 0..<i { #expect(hashes[i].distance(to: hashes[j]) > 10, "\(i), \(j)") }
    }
  }

  @Test func anotherSizeIsClose() {
    for seed in 0..<10 as Range<UInt64> {
      let image = scene(300, 200, seed: seed)
      let small = image.resized(to: 100, 67, filter: .bilinear)
      #expect(PerceptualHash(image).distance(to: PerceptualHash(small)) <= 6)
    }
  }
}
