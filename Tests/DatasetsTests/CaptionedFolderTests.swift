import Datasets
import Foundation
import ImageIO
import Testing

@Suite struct CaptionedFolderTests {
  private func failure(
    _ folder: TemporaryFolder, sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> DatasetError {
    try datasetError(sourceLocation: sourceLocation) { () throws(DatasetError) in
      _ = try CaptionedFolder(folder.path)
    }
  }

  @Test func sourcesHaveTheirOrder() throws {
    try withTemporaryFolder { folder in
      for name in ["a1", "b1", "c1", "d1"] { try folder.writePNG("10_sks dog/\(name).png") }
      try folder.write(
        "metadata.jsonl",
        #"{"file_name": "10_sks dog/a1.png", "text": "from metadata", "repeats": 3}"# + "\n")
      try folder.write("10_sks dog/a1.txt", "not this one")
      try folder.write("10_sks dog/b1.txt", "\u{FEFF}from  text\r\nan alternative\n\nfrom text\n")
      try folder.write("10_sks dog/b1.caption", "nor this one")
      try folder.write("10_sks dog/c1.caption", "from caption")
      try folder.writePNG("goldenRetriever/IMG_1.png")
      try folder.writePNG("2019/red_apple-03.png")
      try folder.writePNG("IMG_0001.jpg")
      try folder.writePNG("blank.png")
      try folder.write("blank.txt", " \n")
      let pictures = try CaptionedFolder(folder.path).pictures
      let expected: [(String, [String], Int, CaptionSource)] = [
        ("10_sks dog/a1.png", ["from metadata"], 3, .metadata),
        ("10_sks dog/b1.png", ["from text", "an alternative"], 10, .sidecar),
        ("10_sks dog/c1.png", ["from caption"], 10, .sidecar),
        ("10_sks dog/d1.png", ["sks dog"], 10, .folder),
        ("2019/red_apple-03.png", ["red apple"], 1, .fileName),
        ("IMG_0001.jpg", [""], 1, .none),
        ("blank.png", [""], 1, .sidecar),
        ("goldenRetriever/IMG_1.png", ["golden retriever"], 1, .folder),
      ]
      #expect(
        pictures
          == expected.map { name, captions, repeats, source in
            CaptionedPicture(
              path: folder(name), name: name, captions: captions, repeats: repeats,
              captionSource: source)
          })
    }
  }

  @Test func theScannedFolderMayBeOfKohyasForm() throws {
    try withTemporaryFolder { folder in
      try folder.writePNG("7_red_fox/more/1.png")
      let inner = try CaptionedFolder(folder("7_red_fox/")).pictures
      #expect(inner.map(\.caption) == ["red fox"] && inner[0].repeats == 7)
      #expect(inner[0].path == folder("7_red_fox/more/1.png"))
      try folder.writePNG("2019_summer/1.png")
      let outer = try CaptionedFolder(folder.path).pictures
      #expect(outer.map(\.caption) == ["summer", "red fox"] && outer.map(\.repeats) == [1, 7])
    }
  }

  @Test func alternativesAreReadFromMetadata() throws {
    try withTemporaryFolder { folder in
      try folder.writePNG("in/a.png")
      try folder.writePNG("in/b.png")
      try folder.writePNG("in/c.png")
      try folder.write(
        "in/metadata.jsonl",
        """
        {"file_name": "./a.png", "text": "one", "captions": ["one", "two", " three\\u2028 "], "x": 1}

        {"file_name": "b.png", "captions": ["four", "five"]}
        """)
      try folder.write(
        "metadata.jsonl",
        #"{"file_name": "in/a.png", "text": "outer"}"# + "\r\n"
          + #"{"file_name": "in/c.png", "text": ""}"#)
      let pictures = try CaptionedFolder(folder.path).pictures
      #expect(pictures.map(\.captions) == [["one", "two", "three"], ["four", "five"], [""]])
    }
  }

  @Test func csvIsRead() throws {
    try withTemporaryFolder { folder in
      try folder.writePNG("a.png")
      try folder.writePNG("b.png")
      try folder.write(
        "metadata.csv", "text,file_name,repeats\n\"red, and round\",a.png,4\nblue,b.png,\n")
      let pictures = try CaptionedFolder(folder.path).pictures
      #expect(pictures.map(\.caption) == ["red, and round", "blue"])
      #expect(pictures.map(\.repeats) == [4, 1])
      try folder.write("metadata.jsonl", #"{"file_name": "a.png", "text": "first"}"#)
      #expect(try CaptionedFolder(folder.path).pictures.map(\.caption) == ["first", "b"])
    }
  }

  @Test func hiddenFilesAndCirclesAreSkipped() throws {
    try withTemporaryFolder { folder in
      try folder.writePNG("in/deep/cat.PNG")
      try folder.writePNG(".hidden/a.png")
      try folder.writePNG("in/.b.png")
      try folder.writePNG("__MACOSX/c.png")
      try folder.write("in/photo.webp", "RIFF")
      try folder.link("in/circle", to: folder.path)
      try folder.link("in/deep/up", to: "..")
      try folder.link("in/self", to: "self")
      try folder.link("in/dangling.png", to: "nowhere.png")
      try folder.link("linked.png", to: "in/deep/cat.PNG")
      let scanned = try CaptionedFolder(folder.path)
      #expect(scanned.pictures.map(\.name) == ["in/deep/cat.PNG", "linked.png"])
      #expect(scanned.ignored == ["in/photo.webp"])
      #expect(try CaptionedFolder(folder.path + "//").pictures == scanned.pictures)
    }
  }

  @Test func foldersAreChecked() throws {
    try withTemporaryFolder { folder in
      try folder.write("file.png", "x")
      let missing = TemporaryFolder(path: folder("none"))
      #expect(try failure(missing) == .missingFolder(path: missing.path))
      let file = TemporaryFolder(path: folder("file.png"))
      #expect(try failure(file) == .notAFolder(path: file.path))
      #expect(try failure(file).description.contains("give the folder that holds the pictures"))
      try folder.makeFolder("empty")
      let empty = TemporaryFolder(path: folder("empty"))
      #expect(try failure(empty) == .noPictures(path: empty.path, found: "the folder is empty"))
      #expect(try failure(empty).description.contains(".png, .jpg, .jpeg"))
      try folder.write("texts/readme.md", "x")
      let texts = TemporaryFolder(path: folder("texts"))
      #expect(try failure(texts).description.contains("one other file (readme.md)"))
      try folder.write("foreign/a.heic", "x")
      try folder.write("foreign/b.webp", "x")
      let foreign = TemporaryFolder(path: folder("foreign"))
      #expect(
        try failure(foreign).description.contains(
          "2 files of other picture formats (a.heic); convert them to PNG or JPEG"))
    }
  }

  @Test(arguments: [
    (#"{"file_name": "a.png", "text": "x"}"# + "\nnonsense", 2, "this is not a JSON object"),
    (#"{"text": "x"}"#, 1, "\"file_name\" is missing"),
    (#"{"file_name": "a.png"}"#, 1, "\"text\" is missing"),
    (#"{"file_name": "a.png", "text": 3}"#, 1, "\"text\" must be a text"),
    (#"{"file_name": 3, "text": "x"}"#, 1, "\"file_name\" must be a text"),
    (#"{"file_name": "a.png", "captions": "x"}"#, 1, "\"captions\" must be a list"),
    (#"{"file_name": "a.png", "text": "x", "repeats": 0}"#, 1, "\"repeats\" must be from 1 to"),
    (#"{"file_name": "a.png", "text": "x", "repeats": "2"}"#, 1, "must be a whole number"),
    ("[1, 2]", 1, "the line must be an object"),
    (#"{"file_name": "../a.png", "text": "x"}"#, 1, "is outside of the folder"),
    (#"{"file_name": "/a.png", "text": "x"}"#, 1, "is outside of the folder"),
    (#"{"file_name": "", "text": "x"}"#, 1, "\"file_name\" is empty"),
    (#"{"file_name": "notes.webp", "text": "x"}"#, 1, "of a format that is not read"),
    (
      #"{"file_name": "a.png", "text": "x"}"# + "\n\n" + #"{"file_name": "./a.png", "text": "y"}"#,
      3, "was described on line 1 already"
    ),
  ])
  func brokenMetadataIsNamed(_ text: String, _ line: Int, _ words: String) throws {
    try withTemporaryFolder { folder in
      try folder.writePNG("a.png")
      try folder.write("notes.webp", "x")
      try folder.write("metadata.jsonl", text)
      guard case .brokenMetadata(let path, let found, let detail) = try failure(folder) else {
        Issue.record("\(try failure(folder))")
        return
      }
      #expect(path == folder("metadata.jsonl") && found == line)
      #expect(detail.contains(words), "\(detail)")
    }
  }

  @Test(arguments: [
    ("", 1, "the file is empty"), ("name,text\na.png,x", 1, "the columns are name, text"),
    ("file_name,text\na.png,x,y", 2, "3 fields, but 2 columns"),
    ("file_name,text,repeats\na.png,x,many", 2, "found \"many\""),
    ("file_name,text\na.png,\"x", 2, "never closed"),
  ])
  func brokenCSVIsNamed(_ text: String, _ line: Int, _ words: String) throws {
    try withTemporaryFolder { folder in
      try folder.writePNG("a.png")
      try folder.write("metadata.csv", text)
      let description = try failure(folder).description
      #expect(description.hasPrefix("\(folder("metadata.csv")), line \(line): "), "\(description)")
      #expect(description.contains(words), "\(description)")
    }
  }

  @Test func namedPicturesMustBeThere() throws {
    try withTemporaryFolder { folder in
      try folder.writePNG("a.png")
      try folder.write(
        "metadata.jsonl", "\n" + #"{"file_name": "b.png", "text": "x"}"#)
      #expect(
        try failure(folder)
          == .missingPicture(path: folder("metadata.jsonl"), line: 2, name: "b.png"))
      #expect(try failure(folder).description.contains("there is no picture \"b.png\""))
    }
  }

  @Test func textsMustBeUTF8() throws {
    try withTemporaryFolder { folder in
      try folder.writePNG("a.png")
      try folder.write("a.txt", [0x63, 0x61, 0x66, 0xE9])
      #expect(try failure(folder) == .notUTF8(path: folder("a.txt")))
      try folder.write("metadata.jsonl", [0xFF, 0xFE, 0x7B])
      #expect(try failure(folder) == .notUTF8(path: folder("metadata.jsonl")))
    }
  }

  @Test func alternativesAreChosenHalfOfTheTime() {
    let picture = CaptionedPicture(path: "a", name: "a", captions: ["x", "y", "z"])
    var counts: [String: Int] = [:]
    for sample in 0..<4000 {
      counts[picture.caption(seed: stepSeed(1, sample, .captions)), default: 0] += 1
    }
    // Deviations: 32 and 27.
    #expect(abs(counts["x", default: 0] - 2000) < 192)
    #expect(abs(counts["y", default: 0] - 1000) < 164 && counts.count == 3)
    #expect(CaptionedPicture(path: "a", name: "a", captions: []).caption(seed: 1) == "")
  }
}
