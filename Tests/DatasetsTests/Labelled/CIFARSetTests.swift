import Datasets
import Foundation
import ImageIO
import Testing

@Suite struct CIFARSetTests {
  /// One record: its labels, then planes of one red, green and blue except for one pixel.
  static func record(_ labels: [UInt8], _ color: RGB, corner: RGB = .white) -> [UInt8] {
    let planes = [(color.red, corner.red), (color.green, corner.green), (color.blue, corner.blue)]
    return labels
      + planes.flatMap { level, last in [UInt8](repeating: level, count: 1023) + [last] }
  }

  private func writeTen(_ folder: TemporaryFolder, in place: String = "") throws {
    for batch in 1...5 {
      try folder.write(
        "\(place)data_batch_\(batch).bin",
        Self.record([UInt8(batch)], RGB(UInt8(batch), 2, 3))
          + Self.record([9], RGB(10, 20, UInt8(batch))))
    }
    try folder.write("\(place)test_batch.bin", Self.record([0], RGB(1, 2, 3)))
  }

  @Test(arguments: ["", "cifar-10-batches-bin/"])
  func tenClassesAreRead(_ place: String) throws {
    try withTemporaryFolder { folder in
      try writeTen(folder, in: place)
      let set = try PictureSet.load(folder.path)
      #expect((set.height, set.width, set.channels, set.count) == (32, 32, 3, 10))
      #expect(set.labels == [1, 9, 2, 9, 3, 9, 4, 9, 5, 9] && set.name == "cifar-10")
      #expect(set.classNames.count == 10 && set.classNames[9] == "truck")
      var expected = Image(width: 32, height: 32, color: RGB(10, 20, 3))
      expected[31, 31] = .white
      #expect(set.image(5) == expected)
      #expect(try PictureSet.load(folder.path, split: .test).labels == [0])
      #expect(try PictureSet.load(folder.path, split: .all).count == 11)
      try folder.write("\(place)batches.meta.txt", (0..<10).map { "c\($0)\n" }.joined() + "\n")
      #expect(try PictureSet.load(folder.path).classNames.last == "c9")
    }
  }

  @Test func fineClassesOfAHundredAreRead() throws {
    try withTemporaryFolder { folder in
      try folder.write("train.bin", Self.record([19, 99], RGB(4, 5, 6)))
      try folder.write("test.bin", Self.record([0, 7], RGB(4, 5, 6)))
      let set = try PictureSet.load(folder.path)
      #expect(set.labels == [99] && set.name == "cifar-100" && set.classNames.count == 100)
      #expect(set.image(0)[0, 0] == RGB(4, 5, 6) && set.image(0)[31, 31] == .white)
      try folder.write("fine_label_names.txt", "apple\nbee\n")
      let error = try pictureSetError { () throws(DatasetError) in
        _ = try PictureSet.load(folder.path, split: .test)
      }
      #expect(
        error == .unknownLabel(path: folder("test.bin"), index: 0, label: 7, classes: 2))
    }
  }

  @Test func damagedRecordsAreErrors() throws {
    try withTemporaryFolder { folder in
      try writeTen(folder)
      let good = Self.record([1], .black)
      for (bytes, expected) in [
        ([], "0 bytes are no whole number of records of 3073 bytes"),
        (Array(good.dropLast()), "3072 bytes are no whole number"),
        (good + [1], "3074 bytes are no whole number"),
        (good + Self.record([10], .black), "label 1 is 10, but there are 10 classes"),
      ] {
        try folder.write("data_batch_3.bin", bytes)
        let error = try pictureSetError { () throws(DatasetError) in
          _ = try PictureSet.load(folder.path)
        }
        #expect(error.description.hasPrefix("\(folder("data_batch_3.bin")): \(expected)"))
      }
    }
  }

  @Test func missingAndForeignFilesAreNamed() throws {
    try withTemporaryFolder { folder in
      try writeTen(folder)
      for batch in ["data_batch_2.bin", "data_batch_4.bin"] {
        try FileManager.default.removeItem(atPath: folder(batch))
      }
      let error = try pictureSetError { () throws(DatasetError) in
        _ = try PictureSet.load(folder.path)
      }
      #expect(
        error
          == .missingFiles(path: folder.path, names: ["data_batch_2.bin", "data_batch_4.bin"]))
      #expect(try PictureSet.load(folder.path, split: .test).count == 1)
    }
    try withTemporaryFolder { folder in
      try folder.write("cifar-10-batches-py/data_batch_1", "pickle")
      let error = try pictureSetError { () throws(DatasetError) in
        _ = try PictureSet.load(folder.path)
      }
      #expect(error.description.contains("take the binary version"))
    }
  }
}
