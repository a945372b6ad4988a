import ComputeCore
import Datasets
import Foundation
import ImageIO
import TestSupport
import Testing

@Suite struct PictureSetTests {
  static func set(
    _ count: Int, height: Int = 3, width: Int = 5, channels: Int = 1
  ) -> PictureSet {
    PictureSet(
      name: "set", height: height, width: width, channels: channels,
      pixels: pattern(count * height * width * channels), labels: (0..<count).map { $0 % 3 },
      classNames: ["a", "b", "c"])
  }

  @Test(arguments: [1, 3], [0, 1, 2, 63, 64, 65])
  func batchesAreTheBytesInMinusOneToOne(_ channels: Int, _ count: Int) {
    let set = Self.set(90, height: 28, width: 28, channels: channels)
    let indices = (0..<count).map { ($0 * 31) % 90 }
    let batch = set.tensor(indices)
    #expect(batch.shape == [count, 28, 28, channels])
    let expected = indices.flatMap { index in
      set.pixels[index * set.pictureSize..<(index + 1) * set.pictureSize].map {
        Float($0) / 127.5 - 1
      }
    }
    #expect(batch.values == expected)
    expectThreadIndependence { [set.tensor(indices)] }
  }

  @Test func everyByteHasItsLevel() {
    let set = PictureSet(
      name: "levels", height: 16, width: 16, channels: 1, pixels: (0...255).map { UInt8($0) })
    #expect(set.tensor([0]).values == set.image(0).withGreyFloats)
    #expect(set.tensor(0..<1).values.first == -1 && set.tensor([0]).values.last == 1)
  }

  @Test func partsKeepPicturesLabelsAndNames() {
    let set = Self.set(7)
    #expect(set.indices(ofClass: 1) == [1, 4] && set.indices(ofClass: 5).isEmpty)
    let part = set.subset([6, 1, 1])
    #expect(part.labels == [0, 1, 1] && part.classNames == set.classNames && part.count == 3)
    #expect(part.image(0) == set.image(6) && part.image(2) == set.image(1))
    #expect(set.prefix(2).pixels == Array(set.pixels.prefix(30)) && set.prefix(9).count == 7)
    #expect(set.prefix(0).count == 0)
    #expect(set.image(2)[4, 1] == RGB(set.pixels[39], set.pixels[39], set.pixels[39]))
    let colour = Self.set(2, channels: 3)
    #expect(colour.image(1).pixels == Array(colour.pixels.suffix(45)))
  }

  /// Pillow 13: `Image.new("RGB", (1, 1), colour).convert("L").getpixel((0, 0))`.
  @Test(
    arguments: [
      ([255, 0, 0], 76), ([0, 255, 0], 150), ([0, 0, 255], 29), ([10, 20, 30], 18),
      ([200, 199, 201], 200), ([77, 77, 77], 77), ([255, 255, 255], 255), ([1, 128, 254], 104),
    ] as [([UInt8], UInt8)])
  func greyIsPillowsLuma(_ colour: [UInt8], _ grey: UInt8) {
    let set = PictureSet(name: "x", height: 1, width: 1, channels: 3, pixels: colour)
    #expect(set.withChannels(1).pixels == [grey])
    #expect(set.withChannels(1).withChannels(3).pixels == [grey, grey, grey])
  }
}

extension Image {
  /// The red channel in -1...1.
  fileprivate var withGreyFloats: [Float] {
    stride(from: 0, to: pixels.count, by: 3).map { floats()[$0] }
  }
}
