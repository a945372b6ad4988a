import Datasets
import Foundation
import ImageIO
import Testing

@Suite struct PhotoCheckUpTests {
  private let checkUp = PhotoCheckUp(trainingSide: 128)

  /// Writes `count` different photos, `photo-0.jpg` and so on.
  private func writePhotos(_ count: Int, to folder: TemporaryFolder) throws {
    for i in 0..<count {
      try folder.writeJPEG("photo-\(i).jpg", scene(300, 200, seed: UInt64(i)))
    }
  }

  @Test func goodPhotosAreKept() throws {
    try withTemporaryFolder { folder in
      try writePhotos(6, to: folder)
      var steps: [Int] = []
      let report = try checkUp.check(folder.path) { done, total in
        #expect(total == 6)
        steps.append(done)
      }
      #expect(report.kept.map(\.name) == (0..<6).map { "photo-\($0).jpg" })
      #expect(report.kept.allSatisfy { $0.width == 300 && $0.height == 200 })
      #expect(report.kept[0].path == folder("photo-0.jpg"))
      #expect(report.skipped.isEmpty && report.warnings.isEmpty && report.turnedCount == 0)
      #expect(report.lines() == ["6 photos: 6 used"])
      #expect(steps.first == 0 && steps.last == 6 && steps == steps.sorted())
    }
  }

  @Test func everyFaultIsNamed() throws {
    try withTemporaryFolder { folder in
      try writePhotos(6, to: folder)
      let photo = scene(300, 200, seed: 0)
      try folder.writePNG("a/black.png", Image(width: 200, height: 200, color: .black))
      try folder.write("copy.jpg", photo.jpegData(quality: 92))
      try folder.writeJPEG("recoded.jpg", scene(300, 200, seed: 1), quality: 35)
      try folder.writeJPEG("shrunk.jpg", scene(300, 200, seed: 2).resized(to: 201, 134))
      try folder.writeJPEG("blurred.jpg", blurred(scene(300, 200, seed: 90), deviation: 3))
      try folder.writePNG("tiny.png", scene(63, 100, seed: 91))
      try folder.write("cut.jpg", Array(try photo.jpegData(quality: 92).prefix(3000)))
      try folder.write("empty.jpg", "")
      try folder.write("phone.heic", "\0\0\0\u{18}ftypheic\0\0\0\0mif1heic")
      try folder.write("notes.txt", "not a picture")
      let report = try checkUp.check(folder.path)
      let faults = Dictionary(
        uniqueKeysWithValues: report.skipped.map { ($0.name, $0.fault) })
      #expect(report.kept.map(\.name).count == 6)
      #expect(faults["a/black.png"] == .oneColor(.black))
      #expect(faults["copy.jpg"] == nil && faults["photo-0.jpg"] == .copy(of: "copy.jpg"))
      #expect(faults["recoded.jpg"] == .nearDuplicate(of: "photo-1.jpg"))
      #expect(faults["shrunk.jpg"] == .nearDuplicate(of: "photo-2.jpg"))
      #expect(faults["blurred.jpg"] == .blurry)
      #expect(faults["tiny.png"] == .tooSmall(width: 63, height: 100, minimum: 64))
      let unreadable = report.skipped.filter {
        if case .unreadable = $0.fault { true } else { false }
      }
      #expect(unreadable.map(\.name) == ["cut.jpg", "empty.jpg", "phone.heic"])
      #expect(unreadable[2].description.contains("phone.heic: unsupported format"))
      #expect(
        report.summary
          == "15 photos: 6 used, 9 left out (3 unreadable, 1 too small, 1 of one colour, "
          + "1 exact copy, 2 near-duplicates, 1 blurry)")
      #expect(report.lines(limit: 4).count == 6)
      #expect(report.lines(limit: 4).last == "... and 5 more")
      #expect(report.lines().contains("recoded.jpg: nearly the same as photo-1.jpg"))
    }
  }

  @Test func theBestOfAGroupIsKept() throws {
    try withTemporaryFolder { folder in
      try writePhotos(5, to: folder)
      let photo = scene(600, 400, seed: 50)
      // An enlarged, hence blurred, copy is larger, but not better.
      try folder.writeJPEG(
        "a-enlarged.jpg", photo.resized(to: 60, 40).resized(to: 900, 600, filter: .bicubic))
      try folder.writeJPEG("b-small.jpg", photo.resized(to: 300, 200))
      try folder.writeJPEG("c-original.jpg", photo)
      let report = try checkUp.check(folder.path)
      #expect(report.skipped.map(\.name) == ["a-enlarged.jpg", "b-small.jpg"])
      #expect(report.skipped.allSatisfy { $0.fault == .nearDuplicate(of: "c-original.jpg") })
    }
  }

  @Test func editedCopiesAreFound() throws {
    try withTemporaryFolder { folder in
      try writePhotos(6, to: folder)
      let pixels = scene(300, 200, seed: 3).pixels
      let brighter = pixels.map { UInt8(min(255, 30 + Int($0) * 8 / 10)) }
      try folder.writeJPEG("brighter.jpg", Image(width: 300, height: 200, pixels: brighter))
      try folder.writeJPEG("mirrored.jpg", scene(300, 200, seed: 4).flippedHorizontally)
      let names = try checkUp.check(folder.path).skipped.map(\.description)
      #expect(names == ["photo-3.jpg: nearly the same as brighter.jpg"])
    }
  }

  @Test func misnamedPhotosAreNamed() throws {
    try withTemporaryFolder { folder in
      try writePhotos(5, to: folder)
      try folder.writeJPEG("photo.webp", scene(300, 200, seed: 9))
      #expect(
        try checkUp.check(folder.path).skipped.map(\.description)
          == ["photo.webp: misnamed: this is a JPEG file; let its name end in .jpg"])
    }
  }

  @Test func softPhotosAreComparedWithTheirFolder() throws {
    try withTemporaryFolder { folder in
      for i in 0..<6 {
        try folder.writeJPEG(
          "soft-\(i).jpg", blurred(scene(300, 200, seed: UInt64(i)), deviation: 2.5))
      }
      let report = try checkUp.check(folder.path)
      #expect(report.kept.count == 6)
      #expect(report.warnings == [.mostAreSoft])
    }
  }

  @Test func warningsDoNotLeaveOut() throws {
    try withTemporaryFolder { folder in
      try writePhotos(5, to: folder)
      let dark = scene(300, 200, seed: 60).pixels.map { $0 / 10 }
      let bright = scene(300, 200, seed: 62).pixels.map { 239 + $0 / 16 }
      try folder.writePNG("dark.png", Image(width: 300, height: 200, pixels: dark))
      try folder.writePNG("bright.png", Image(width: 300, height: 200, pixels: bright))
      try folder.writePNG("little.png", scene(100, 120, seed: 61))
      let report = try checkUp.check(folder.path)
      #expect(report.kept.count == 8, "\(report.lines())")
      #expect(
        report.warnings == [
          .tooBright(name: "bright.png"), .tooDark(name: "dark.png"),
          .enlarged(name: "little.png", width: 100, height: 120, trainingSide: 128),
        ])
      #expect(report.lines().contains("warning: dark.png: nearly black"))
    }
  }

  @Test func graphicsOnWhiteAreFine() throws {
    try withTemporaryFolder { folder in
      for i in 0..<6 {
        var page = Image(width: 300, height: 300)
        page.paste(scene(100, 100, seed: UInt64(i)), 100, 100)
        try folder.writePNG("graphic-\(i).png", page)
      }
      let report = try checkUp.check(folder.path)
      #expect(report.lines() == ["6 photos: 6 used"])
    }
  }

  @Test func cameraTurnsAreCounted() throws {
    try withTemporaryFolder { folder in
      try writePhotos(5, to: folder)
      let stored = scene(200, 300, seed: 70).rotated(quarterTurns: -1)
      var bytes = try stored.jpegData()
      let exif: [UInt8] =
        [0xFF, 0xE1, 0, 34] + Array("Exif\0\0".utf8) + [0x4D, 0x4D, 0, 42, 0, 0, 0, 8, 0, 1]
        + [0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0] + [0, 0, 0, 0]
      bytes.insert(contentsOf: exif, at: 2)
      try folder.write("turned.jpg", bytes)
      try folder.writeJPEG("upright.jpg", scene(200, 300, seed: 70))
      let report = try checkUp.check(folder.path)
      #expect(report.turnedCount == 1)
      #expect(report.lines()[1] == "1 photo was turned upright as the camera noted")
      #expect(report.skipped.map(\.name) == ["upright.jpg"], "\(report.lines())")
    }
  }

  @Test func tooFewPhotosAreRefused() throws {
    try withTemporaryFolder { folder in
      try writePhotos(3, to: folder)
      try folder.write("bad.jpg", "no picture")
      let error = try datasetError { () throws(DatasetError) in
        _ = try checkUp.check(folder.path)
      }
      guard case .tooFewPhotos(_, let found, let usable, let needed, let reasons) = error else {
        Issue.record("\(error)")
        return
      }
      #expect(found == 4 && usable == 3 && needed == 5 && reasons.count == 1)
      #expect(error.description.contains("3 of 4 photos can be used, at least 5 are needed"))
      #expect(error.description.contains("add 2 more\n  bad.jpg: not a picture"))
    }
  }

  @Test func foldersAreChecked() throws {
    try withTemporaryFolder { folder in
      try folder.write("file.jpg", "x")
      try folder.makeFolder("empty")
      #expect(
        try datasetError { () throws(DatasetError) in _ = try checkUp.check(folder("none")) }
          == .missingFolder(path: folder("none")))
      #expect(
        try datasetError { () throws(DatasetError) in _ = try checkUp.check(folder("file.jpg")) }
          == .notAFolder(path: folder("file.jpg")))
      #expect(
        try datasetError { () throws(DatasetError) in _ = try checkUp.check(folder("empty")) }
          == .noPictures(path: folder("empty"), found: "the folder is empty"))
    }
  }

  @Test func nothingIsWrittenAndResultsRepeat() throws {
    try withTemporaryFolder { folder in
      try writePhotos(6, to: folder)
      let before = try FileManager.default.subpathsOfDirectory(atPath: folder.path).sorted()
      let first = try checkUp.check(folder.path)
      let second = try checkUp.check(folder.path)
      #expect(first.kept == second.kept && first.lines() == second.lines())
      #expect(
        try FileManager.default.subpathsOfDirectory(atPath: folder.path).sorted() == before)
      let captioned = try CaptionedFolder(folder.path).pictures(keptBy: first)
      #expect(captioned.map(\.name) == first.kept.map(\.name))
    }
  }
}
