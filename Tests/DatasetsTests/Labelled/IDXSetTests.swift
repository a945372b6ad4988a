import Datasets
import Foundation
import ImageIO
import Testing

@Suite struct IDXSetTests {
  @Test(arguments: ["-", "."], [false, true])
  func foldersNamedAsMNISTAreRead(_ separator: String, _ isPacked: Bool) throws {
    try withTemporaryFolder { folder in
      let train = try folder.writeMNIST(
        "train", labels: [3, 0, 4, 1], separator: separator, isPacked: isPacked)
      let test = try folder.writeMNIST(
        "t10k", labels: [5, 0], separator: separator, isPacked: isPacked)
      let set = try PictureSet.load(folder.path)
      #expect((set.height, set.width, set.channels, set.count) == (3, 2, 1, 4))
      #expect(set.pixels == train && set.labels == [3, 0, 4, 1])
      #expect(set.classNames == ["0", "1", "2", "3", "4", "5"])
      #expect(set.name == folder.path.split(separator: "/").last.map(String.init))
      let other = try PictureSet.load(folder.path + "/", split: .test)
      #expect(other.pixels == test && other.labels == [5, 0])
      #expect(other.classNames == set.classNames)
      let all = try PictureSet.load(folder.path, split: .all)
      #expect(all.pixels == train + test && all.labels == [3, 0, 4, 1, 5, 0])
    }
  }

  @Test func torchvisionsFolderAndFashionsNamesAreKnown() throws {
    try withTemporaryFolder { folder in
      for part in ["FashionMNIST/raw/train", "FashionMNIST/raw/t10k"] {
        try folder.writeMNIST(part, labels: [9, 0])
      }
      let set = try PictureSet.load(folder("FashionMNIST"))
      #expect(set.classNames.count == 10 && set.classNames.first == "T-shirt/top")
      #expect(try PictureSet.load(folder("FashionMNIST/raw")).classNames == set.classNames)
      try folder.write("FashionMNIST/raw/classes.txt", "a\n b c \n\nd\n")
      let error = try pictureSetError { () throws(DatasetError) in
        _ = try PictureSet.load(folder("FashionMNIST/raw"))
      }
      #expect(
        error
          == .unknownLabel(
            path: folder("FashionMNIST/raw/train-labels-idx1-ubyte"), index: 0, label: 9, classes: 3
          ))
    }
  }

  @Test func oneFileIsSplitByItsPlaces() throws {
    try withTemporaryFolder { folder in
      let labels = (0..<200).map { UInt8($0) }
      let pixels = try folder.writeMNIST("odd-train", labels: labels, isPacked: true)
      let path = folder("odd-train-images-idx3-ubyte.gz")
      let all = try PictureSet.load(path, split: .all)
      #expect(all.pixels == pixels && all.labels == (0..<200).map { $0 })
      #expect(all.classNames.count == 200)
      let parts = try [PictureSet.Split.train, .test].map { try PictureSet.load(path, split: $0) }
      #expect((10...32).contains(parts[1].count))
      let places = parts.flatMap { $0.labels ?? [] }
      #expect(places.sorted() == Array(0..<200))
      #expect(parts.allSatisfy { $0.labels == $0.labels?.sorted() })
      #expect(parts[1].pixels.prefix(6) == all.subset(parts[1].labels ?? []).pixels.prefix(6))
      #expect(try PictureSet.load(path, split: .test).labels == parts[1].labels)
      #expect(all.name == "odd-train-images-idx3-ubyte")
    }
  }

  @Test func labelsMayBeMissingAndChannelsThree() throws {
    try withTemporaryFolder { folder in
      try folder.write("colour.bin", idx([4, 2, 3, 3], pattern(72)))
      let set = try PictureSet.load(folder("colour.bin"), split: .all)
      #expect((set.height, set.width, set.channels, set.count) == (2, 3, 3, 4))
      #expect(set.labels == nil && set.classNames.isEmpty && set.pixels == pattern(72))
      try folder.write("grey", idx([2, 2, 3, 1], pattern(12)))
      #expect(try PictureSet.load(folder("grey"), split: .all).channels == 1)
    }
  }

  @Test func sizesAndChannelsAreConverted() throws {
    try withTemporaryFolder { folder in
      try folder.write("grey", idx([2, 5, 4], pattern(40)))
      let set = try PictureSet.load(folder("grey"), split: .all, size: 8, channels: 3)
      #expect((set.height, set.width, set.channels, set.count) == (8, 8, 3, 2))
      let plain = try PictureSet.load(folder("grey"), split: .all)
      #expect(set.image(1) == plain.image(1).resizedToFill(8, 8))
      #expect(set.withChannels(1).pixels == plain.resized(to: 8).pixels)
    }
  }

  @Test func severalMembersOfGzipAreOneFile() throws {
    try withTemporaryFolder { folder in
      let bytes = idx([3, 2, 2], pattern(12))
      let members = try gzipped(Array(bytes.prefix(9))) + gzipped(Array(bytes.dropFirst(9)))
      try folder.write("x", members)
      #expect(try PictureSet.load(folder("x"), split: .all).pixels == pattern(12))
    }
  }

  @Test(.enabled(if: FileManager.default.fileExists(atPath: FashionMNIST.folder)))
  func installedFashionMNISTIsTheKnownSet() throws {
    let train = try PictureSet.load("fashion-mnist")
    let test = try PictureSet.load("fashion-mnist", split: .test)
    for (set, perClass) in [(train, 6000), (test, 1000)] {
      #expect((set.height, set.width, set.channels, set.count) == (28, 28, 1, perClass * 10))
      #expect((0..<10).allSatisfy { set.indices(ofClass: $0).count == perClass })
      #expect(set.name == "fashion-mnist" && set.classNames == FashionMNIST.classNames)
    }
    // The mean that torch users normalise with: 0.2860.
    let sum = train.pixels.reduce(0) { $0 + Int($1) }
    #expect(abs(Double(sum) / Double(train.pixels.count) / 255 - 0.2860) < 5e-5)
  }
}
