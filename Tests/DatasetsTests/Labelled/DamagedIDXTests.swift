import Datasets
import Foundation
import Testing

@Suite struct DamagedIDXTests {
  /// A damaged file of pictures and words of the error that it must give.
  struct Damage: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let bytes: [UInt8]
    let words: [String]

    init(_ name: String, _ bytes: [UInt8], _ words: String...) {
      (testDescription, self.bytes, self.words) = (name, bytes, words)
    }
  }

  static let good = idx([2, 3, 2], pattern(12))

  static let damages = [
    Damage("empty", [], "ends after 0 bytes"),
    Damage("three bytes", [0, 0, 8], "ends after 3 bytes", "announces 4"),
    Damage("PNG", [0x89, 0x50, 0x4E, 0x47, 13, 10], "not an IDX file", "89 50 4E 47"),
    Damage("little endian", [3, 8, 0, 0] + good.dropFirst(4), "not an IDX file"),
    Damage("unknown type", idx([2, 3, 2], pattern(12), type: 0x0A), "not an IDX file", "0A"),
    Damage("floats", idx([2, 3, 2], pattern(48), type: 0x0D), "32-bit floats", "type 0x0D"),
    Damage("labels", idx([2], [0, 1]), "1 axis", "[pictures, height, width]"),
    Damage("no axes", idx([], [1]), "0 axes"),
    Damage("255 axes", [0, 0, 8, 255] + pattern(2000), "255 axes"),
    Damage("sizes cut off", Array(good.prefix(10)), "ends after 10 bytes", "announces 16"),
    Damage("no pictures", idx([0, 28, 28], []), "empty"),
    Damage("no rows", idx([5, 0, 28], []), "empty"),
    Damage("two channels", idx([2, 3, 2, 2], pattern(24)), "[2, 3, 2, 2]", "1 or 3 channels"),
    Damage("one byte short", Array(good.dropLast()), "ends after 27 bytes", "announces 28"),
    Damage("one byte more", good + [0], "goes on behind the 28 bytes"),
    Damage("much announced", idx([0xFFFF, 0xFF, 0xFF], [1]), "announces 4261413391"),
    Damage(
      "overflow", idx([0xFFFF_FFFF, 0xFFFF_FFFF, 0xFFFF_FFFF], [1]), "the header claims",
      "8 GiB"),
    Damage("more than memory", idx([0xFFFF_FFFF, 28, 28], [1]), "more than 8 GiB"),
  ]

  @Test(arguments: damages, [false, true])
  func damagedPicturesAreErrors(_ damage: Damage, isPacked: Bool) throws {
    try withTemporaryFolder { folder in
      let path = folder("images-idx3-ubyte")
      try folder.write("images-idx3-ubyte", isPacked ? gzipped(damage.bytes) : damage.bytes)
      let error = try pictureSetError { () throws(DatasetError) in
        _ = try PictureSet.load(path, split: .all)
      }
      let words = error.description
      #expect(words.hasPrefix("\(path): "))
      // Of a packed file the claim is compared with what its bytes can hold at most.
      let isClaim = isPacked && damage.testDescription == "much announced"
      for word in isClaim ? ["compressed bytes cannot hold"] : damage.words {
        #expect(words.contains(word), "\(words)")
      }
    }
  }

  @Test func everyCutAndFlipOfGzipIsAnError() throws {
    try withTemporaryFolder { folder in
      let packed = try gzipped(idx([20, 28, 28], pattern(20 * 784)))
      for length in stride(from: 2, to: packed.count, by: max(1, packed.count / 40)) {
        try folder.write("x", Array(packed.prefix(length)))
        let error = try pictureSetError { () throws(DatasetError) in
          _ = try PictureSet.load(folder("x"), split: .all)
        }
        #expect(error.description.contains("damaged gzip file"), "cut to \(length): \(error)")
      }
      for position in stride(from: 10, to: packed.count, by: max(1, packed.count / 60)) {
        var damaged = packed
        damaged[position] ^= 0x10
        try folder.write("x", damaged)
        _ = try pictureSetError { () throws(DatasetError) in
          _ = try PictureSet.load(folder("x"), split: .all)
        }
      }
      try folder.write("x", packed + [7])
      let error = try pictureSetError { () throws(DatasetError) in
        _ = try PictureSet.load(folder("x"), split: .all)
      }
      #expect(error.description.contains("other bytes follow"))
    }
  }

  @Test func aBombIsNotUnpacked() throws {
    try withTemporaryFolder { folder in
      try folder.write("x", gzipped(idx([1, 2, 2], [UInt8](repeating: 0, count: 30_000_000))))
      let error = try pictureSetError { () throws(DatasetError) in
        _ = try PictureSet.load(folder("x"), split: .all)
      }
      #expect(error == .trailingBytes(path: folder("x"), expected: 20))
    }
  }

  @Test func countsThatDisagreeAreNamed() throws {
    try withTemporaryFolder { folder in
      try folder.writeMNIST("train", labels: [0, 1, 2])
      try folder.write("train-labels-idx1-ubyte", idx([2], [0, 1]))
      let error = try pictureSetError { () throws(DatasetError) in
        _ = try PictureSet.load(folder.path)
      }
      #expect(
        error
          == .countsDisagree(
            images: folder("train-images-idx3-ubyte"), imageCount: 3,
            labels: folder("train-labels-idx1-ubyte"), labelCount: 2))
    }
  }

  @Test func partsThatDisagreeAreNamed() throws {
    try withTemporaryFolder { folder in
      try folder.writeMNIST("train", labels: [0, 1, 2])
      try folder.write("t10k-images-idx3-ubyte", idx([2, 2, 2], pattern(8)))
      let shapes = try pictureSetError { () throws(DatasetError) in
        _ = try PictureSet.load(folder.path, split: .all)
      }
      #expect(shapes.description.contains("expected [3, 2, 1]"))
      try folder.write("t10k-images-idx3-ubyte", idx([2, 3, 2], pattern(12)))
      let labels = try pictureSetError { () throws(DatasetError) in
        _ = try PictureSet.load(folder.path, split: .all)
      }
      #expect(labels.description.contains("the file of labels is missing"))
      try folder.writeMNIST("other-train", labels: [0])
      let names = try pictureSetError { () throws(DatasetError) in
        _ = try PictureSet.load(folder.path)
      }
      #expect(names.description.contains("several files could be meant: other-train-images"))
    }
  }

  @Test func onePictureHasNoTestPart() throws {
    try withTemporaryFolder { folder in
      try folder.write("x", idx([1, 3, 2], pattern(6)))
      #expect(try PictureSet.load(folder("x")).count == 1)
      let error = try pictureSetError { () throws(DatasetError) in
        _ = try PictureSet.load(folder("x"), split: .test)
      }
      #expect(error == .noTestPictures(path: folder("x"), found: 1))
    }
  }

  @Test func whatIsNotThereIsSaid() throws {
    try withTemporaryFolder { folder in
      let none = try pictureSetError { () throws(DatasetError) in
        _ = try PictureSet.load(folder("none"))
      }
      #expect(none == .unknown(argument: folder("none")))
      #expect(none.description.contains("fashion-mnist"))
      try folder.writeMNIST("t10k", labels: [1, 2])
      let missing = try pictureSetError { () throws(DatasetError) in
        _ = try FashionMNIST.load(.train, from: folder.path)
      }
      #expect(missing.description.contains("sudo apt install dataset-fashion-mnist"))
      let pipe = folder("pipe")
      #expect(mkfifo(pipe, 0o600) == 0)
      let unreadable = try datasetError { () throws(DatasetError) in
        _ = try PictureSet.load(pipe)
      }
      #expect(unreadable == .cannotRead(path: pipe, detail: "this is not a regular file"))
    }
  }
}
