import Datasets
import Foundation
import ImageIO
import Testing

@Suite struct PictureFolderTests {
  @Test func classFoldersAreInNaturalOrder() throws {
    try withTemporaryFolder { folder in
      for name in ["10", "9", "b", "a10", "a2"] {
        for number in 0..<3 {
          try folder.writePNG("\(name)/\(number).png", scene(20, 16, seed: UInt64(number)))
        }
      }
      let set = try PictureSet.load(folder.path, split: .all)
      #expect(set.classNames == ["9", "10", "a2", "a10", "b"])
      #expect((set.height, set.width, set.channels, set.count) == (16, 16, 3, 15))
      #expect((0..<5).allSatisfy { set.indices(ofClass: $0).count == 3 })
      let first = set.indices(ofClass: 0)[0]
      #expect(set.image(first) == scene(20, 16, seed: 0).resizedToFill(16, 16))
      #expect(set.skipped.isEmpty)
      for split in [PictureSet.Split.train, .test] {
        let part = try PictureSet.load(folder.path, split: split)
        #expect(part.classNames == set.classNames)
        #expect((0..<5).allSatisfy { !part.indices(ofClass: $0).isEmpty })
      }
    }
  }

  @Test func mixedSizesAreCutAndScaled() throws {
    try withTemporaryFolder { folder in
      let sizes = [(200, 90), (90, 200), (70, 70), (30, 31), (1, 1)]
      for (number, size) in sizes.enumerated() {
        try folder.writePNG("\(number).png", scene(size.0, size.1, seed: UInt64(number)))
      }
      let set = try PictureSet.load(folder.path, split: .all)
      #expect((set.height, set.width, set.count, set.labels) == (64, 64, 5, nil))
      for (number, size) in sizes.enumerated() {
        #expect(
          set.image(number)
            == scene(size.0, size.1, seed: UInt64(number)).resizedToFill(64, 64))
      }
      let asked = try PictureSet.load(folder.path, split: .train, size: 100)
      #expect(asked.width == 100 && asked.height == 100)
    }
  }

  @Test(arguments: [(62, 60), (17, 16), (15, 15), (7, 7), (1, 1), (64, 64), (3000, 64)])
  func theSizeSuitsThePictures(_ side: Int, _ expected: Int) throws {
    try withTemporaryFolder { folder in
      try folder.writePNG("a/1.png", Image(width: side, height: side, color: RGB(1, 2, 3)))
      let set = try PictureSet.load(folder.path)
      #expect((set.width, set.height, set.count) == (expected, expected, 1))
      #expect(set.labels == nil && set.image(0)[0, 0] == RGB(1, 2, 3))
    }
  }

  @Test func greyIsOneChannelUnlessOnePictureIsNot() throws {
    try withTemporaryFolder { folder in
      try folder.writePNG("1.png", Image(width: 16, height: 16, color: RGB(9, 9, 9)))
      try folder.writeJPEG("2.jpg", Image(width: 16, height: 16, color: RGB(200, 200, 200)))
      let grey = try PictureSet.load(folder.path, split: .all)
      #expect(grey.channels == 1 && grey.pixels.prefix(256).allSatisfy { $0 == 9 })
      #expect(try PictureSet.load(folder.path, split: .all, channels: 3).channels == 3)
      try folder.writePNG("3.png", Image(width: 16, height: 16, color: RGB(9, 9, 10)))
      #expect(try PictureSet.load(folder.path, split: .all).channels == 3)
      let asked = try PictureSet.load(folder.path, split: .all, channels: 1)
      #expect(asked.channels == 1 && asked.count == 3)
    }
  }

  @Test func orientationIsApplied() throws {
    let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../../ImageIOTests/Fixtures").standardized.path
    try withTemporaryFolder { folder in
      let path = "\(fixtures)/exif-6.jpg"
      try folder.write("a.jpg", [UInt8](Data(contentsOf: URL(fileURLWithPath: path))))
      let set = try PictureSet.load(folder.path, size: 16)
      #expect(set.image(0) == (try Image(contentsOf: path).resizedToFill(16, 16)))
      #expect(try ImageFile(contentsOf: path).exifOrientation == .needsClockwiseTurn)
    }
  }

  @Test func unreadablePicturesAreLeftOutAndNamed() throws {
    try withTemporaryFolder { folder in
      try folder.writePNG("a/good.png", scene(16, 16, seed: 1))
      try folder.write("a/bad.png", "nothing")
      let cut = try scene(16, 16, seed: 2).pngData()
      try folder.write("b/cut.png", Array(cut.prefix(cut.count / 2)))
      try folder.write("b/other.gif", "GIF89a")
      try folder.writeJPEG("b/good.jpg", scene(16, 16, seed: 1))
      try folder.write("b/notes.txt", "not a picture")
      let set = try PictureSet.load(folder.path, split: .all)
      #expect(set.count == 2 && set.labels == [0, 1] && set.classNames == ["a", "b"])
      #expect(set.skipped.count == 3)
      #expect(set.skipped[0].hasPrefix("a/bad.png: not a picture: "))
      #expect(set.skipped[1].hasPrefix("b/cut.png: incomplete picture: "))
      #expect(set.skipped[2].hasPrefix("b/other.gif: unsupported format: "))
    }
    try withTemporaryFolder { folder in
      try folder.write("bad.png", "nothing")
      try folder.write("worse.jpg", "nothing")
      let error = try pictureSetError { () throws(DatasetError) in
        _ = try PictureSet.load(folder.path, split: .all)
      }
      #expect(error.description.contains("none of 2 picture files can be decoded"))
      #expect(error.description.contains("  worse.jpg: not a picture"))
    }
  }

  @Test func trainAndTestFoldersAreTheParts() throws {
    try withTemporaryFolder { folder in
      for name in ["train/cat/1", "train/cat/2", "train/dog/1", "val/dog/1", "val/eel/1"] {
        try folder.writePNG("data/\(name).png", scene(16, 16, seed: 3))
      }
      let train = try PictureSet.load(folder.path)
      let test = try PictureSet.load(folder.path, split: .test)
      #expect(train.classNames == ["cat", "dog", "eel"] && test.classNames == train.classNames)
      #expect(train.labels == [0, 0, 1] && test.labels == [1, 2])
      #expect(try PictureSet.load(folder.path, split: .all).labels == [0, 0, 1, 1, 2])
      try FileManager.default.removeItem(atPath: folder("data/val"))
      try folder.writePNG("data/val/1.png")
      let error = try pictureSetError { () throws(DatasetError) in
        _ = try PictureSet.load(folder.path)
      }
      #expect(error.description.contains("one folder per class in only one of train and val"))
    }
  }

  @Test func heldOutPicturesFollowFromTheirNames() throws {
    try withTemporaryFolder { folder in
      func color(_ number: Int) -> RGB { RGB(UInt8(number), 0, 0) }
      func numbers(_ split: PictureSet.Split) throws -> [Int] {
        let set = try PictureSet.load(folder.path, split: split)
        return (0..<set.count).map { Int(set.image($0)[0, 0].red) }
      }
      for number in 0..<150 {
        try folder.writePNG("\(number).png", Image(width: 2, height: 2, color: color(number)))
      }
      let (train, test) = (try numbers(.train), try numbers(.test))
      #expect((7...25).contains(test.count))
      #expect((train + test).sorted() == Array(0..<150))
      for number in 150..<200 {
        try folder.writePNG("\(number).png", Image(width: 2, height: 2, color: color(number)))
      }
      #expect(Set(try numbers(.test)).intersection(0..<150) == Set(test))
    }
  }

  @Test func fewPicturesAreSplitOrRefused() throws {
    try withTemporaryFolder { folder in
      try folder.writePNG("one.png", scene(16, 16, seed: 1))
      #expect(try PictureSet.load(folder.path).count == 1)
      let error = try pictureSetError { () throws(DatasetError) in
        _ = try PictureSet.load(folder.path, split: .test)
      }
      #expect(error == .noTestPictures(path: folder.path, found: 1))
      #expect(error.description.contains("1 picture is too few"))
      try folder.writePNG("two.png", scene(16, 16, seed: 2))
      #expect(try PictureSet.load(folder.path).count == 1)
      #expect(try PictureSet.load(folder.path, split: .test).count == 1)
    }
  }

  @Test func emptyAndMixedFoldersAreRefused() throws {
    try withTemporaryFolder { folder in
      let empty = try pictureSetError { () throws(DatasetError) in
        _ = try PictureSet.load(folder.path)
      }
      #expect(empty == .unrecognized(path: folder.path, found: "the folder is empty"))
      try folder.write("notes.txt", "text")
      let other = try pictureSetError { () throws(DatasetError) in
        _ = try PictureSet.load(folder.path)
      }
      #expect(other.description.contains("one other file (notes.txt)"))
      try folder.writePNG("1.png")
      try folder.writePNG("cats/1.png")
      let mixed = try pictureSetError { () throws(DatasetError) in
        _ = try PictureSet.load(folder.path)
      }
      #expect(mixed == .mixedFolder(path: folder.path, picture: "1.png", folder: "cats"))
    }
  }

  @Test func progressReachesTheEnd() throws {
    try withTemporaryFolder { folder in
      for number in 0..<9 { try folder.writePNG("\(number).png") }
      var calls: [[Int]] = []
      _ = try PictureSet.load(folder.path, split: .all) { done, total in
        calls.append([done, total])
      }
      #expect(calls.first == [0, 9] && calls.last == [9, 9])
    }
  }
}
