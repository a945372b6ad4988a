import Datasets
import ImageIO
import Testing

@Suite struct PictureStoreTests {
  @Test func picturesAreCentredPartsScaled() throws {
    try withTemporaryFolder { folder in
      let wide = scene(96, 64, seed: 1)
      let tall = scene(32, 80, seed: 2)
      try folder.writePNG("wide.png", wide)
      try folder.writePNG("tall.png", tall)
      let store = try PictureStore(
        [folder("wide.png"), folder("tall.png")], width: 32, height: 32)
      #expect(store.count == 2 && store.sources == [0, 1])
      #expect(store.image(at: 0) == wide.cropped(16, 0, 64, 64).resized(to: 32, 32))
      #expect(store.image(at: 1) == tall.cropped(0, 24, 32, 32))
      #expect(Array(store.picture(at: 1)) == store.image(at: 1).pixels)
      #expect(store.pixels.count == 2 * 32 * 32 * 3)
    }
  }

  @Test func fitAddsBorders() throws {
    try withTemporaryFolder { folder in
      let wide = scene(60, 20, seed: 1)
      try folder.writePNG("wide.png", wide)
      let store = try PictureStore(
        [folder("wide.png")], width: 30, height: 30, framing: .fitOnWhite, crops: 3)
      #expect(store.count == 1)
      let image = store.image(at: 0)
      #expect(image.cropped(0, 10, 30, 10) == wide.resized(to: 30, 10))
      #expect(image.cropped(0, 0, 30, 10) == Image(width: 30, height: 10))
      #expect(image.cropped(0, 20, 30, 10) == Image(width: 30, height: 10))
      let red = Framing.fit(background: RGB(255, 0, 0)).apply(to: wide, width: 30, height: 30)
      #expect(red[0, 0] == RGB(255, 0, 0))
    }
  }

  @Test func floatsAreScaledAndFlipped() {
    let image = Image(width: 2, height: 1, pixels: [0, 255, 51, 102, 204, 0])
    let other = Image(width: 2, height: 1, color: .white)
    let store = PictureStore([image, other])
    let plain: [Float] = [-1, 1, -0.6, -0.2, 0.6, -1]
    let flipped: [Float] = [-0.2, 0.6, -1, -1, 1, -0.6]
    let batch = store.floats([0, 1, 0], flips: [false, true, true])
    let expected = plain + [Float](repeating: 1, count: 6) + flipped
    #expect(zip(batch, expected).allSatisfy { abs($0 - $1) < 1e-6 } && batch.count == 18)
    #expect(store.floats([0]) == Array(batch.prefix(6)))
    #expect(store.floats([0]) == image.floats())
    #expect(store.floats([]).isEmpty)
  }

  @Test func cropsComeFromTheirPhotoAndRepeat() throws {
    try withTemporaryFolder { folder in
      try folder.writePNG("red.png", Image(width: 90, height: 70, color: RGB(200, 0, 0)))
      try folder.writePNG("scene.png", scene(90, 70, seed: 3))
      try folder.writePNG("small.png", scene(16, 40, seed: 4))
      let paths = ["red.png", "scene.png", "small.png"].map { folder($0) }
      let store = try PictureStore(paths, width: 16, height: 16, crops: 4, seed: 9)
      #expect(store.sources == [0, 0, 0, 0, 1, 1, 1, 1, 2])
      #expect((0..<4).allSatisfy { store.image(at: $0)[8, 8] == RGB(200, 0, 0) })
      #expect(Set((4..<8).map { store.image(at: $0) }).count == 4)
      let again = try PictureStore(paths, width: 16, height: 16, crops: 4, seed: 9)
      #expect(again.pixels == store.pixels)
      let other = try PictureStore(paths, width: 16, height: 16, crops: 4, seed: 10)
      #expect(other.pixels != store.pixels)
      #expect(other.image(at: 4) == store.image(at: 4))
    }
  }

  @Test func unreadableFilesAreNamed() throws {
    try withTemporaryFolder { folder in
      try folder.writePNG("good.png")
      try folder.write("bad.png", "nothing")
      let paths = [folder("good.png"), folder("bad.png"), folder("none.png")]
      let error = try datasetError { () throws(DatasetError) in
        _ = try PictureStore(paths, width: 8, height: 8)
      }
      #expect(error.description.contains("bad.png: not a picture"))
      let same = try datasetError { () throws(DatasetError) in
        _ = try CropStore(paths, width: 8, height: 8)
      }
      #expect(same == error)
    }
  }
}

@Suite struct CropBoxTests {
  @Test(arguments: [(300, 200), (200, 300), (64, 64), (40, 100), (65, 1000)])
  func boxesLieInsideAndKeepTheShape(_ width: Int, _ height: Int) {
    var lowest = Int.max
    var highest = 0
    for seed in 0..<400 as Range<UInt64> {
      let box = CropBox.random(
        width: width, height: height, outputWidth: 64, outputHeight: 64, seed: seed)
      #expect(box.x >= 0 && box.y >= 0)
      #expect(box.x + box.width <= width && box.y + box.height <= height)
      #expect(box.width == box.height)
      lowest = min(lowest, box.width)
      highest = max(highest, box.width)
    }
    let short = min(width, height)
    let least = short <= 64 ? short : max(64, short / 2)
    #expect(lowest >= least && lowest <= least + 3)
    #expect(highest <= short && highest >= short - 3)
  }

  @Test func boxesOfOtherShapesFit() {
    for seed in 0..<100 as Range<UInt64> {
      let box = CropBox.random(
        width: 500, height: 300, outputWidth: 64, outputHeight: 128, seed: seed)
      #expect(abs(2 * box.width - box.height) <= 1 && box.height <= 300)
    }
  }

  @Test func everyPlaceIsReached() {
    let places = Set(
      (0..<300).map {
        CropBox.random(
          width: 12, height: 8, outputWidth: 8, outputHeight: 8, seed: UInt64($0)
        ).x
      })
    #expect(places == [0, 1, 2, 3, 4])
  }
}

@Suite struct CropStoreTests {
  @Test func photosAreKeptLargerThanCrops() throws {
    try withTemporaryFolder { folder in
      let photo = scene(300, 200, seed: 1)
      try folder.writePNG("photo.png", photo)
      try folder.writePNG("small.png", scene(50, 40, seed: 2))
      try folder.writePNG("wide.png", scene(900, 100, seed: 3))
      let paths = ["photo.png", "small.png", "wide.png"].map { folder($0) }
      let store = try CropStore(paths, width: 32, height: 32)
      #expect(store.count == 3)
      #expect(store.photos[0] == photo.resized(to: 96, 64))
      #expect(store.photos[1] == scene(50, 40, seed: 2))
      #expect(store.photos[2].width == 128 && store.photos[2].height == 64)
      #expect(store.centerCrop(of: 0) == store.photos[0].resizedToFill(32, 32))
    }
  }

  @Test func batchesAreTheCropsOfTheirSeeds() throws {
    try withTemporaryFolder { folder in
      try folder.writePNG("a.png", scene(150, 100, seed: 1))
      try folder.writePNG("b.png", scene(100, 150, seed: 2))
      let store = try CropStore([folder("a.png"), folder("b.png")], width: 24, height: 16)
      let batch = store.floats([1, 0, 1], seeds: [5, 6, 7], flips: [false, true, false])
      let expected =
        store.randomCrop(of: 1, seed: 5).floats()
        + store.randomCrop(of: 0, seed: 6).flippedHorizontally.floats()
        + store.randomCrop(of: 1, seed: 7).floats()
      #expect(batch == expected && batch.count == 3 * 24 * 16 * 3)
      #expect(store.randomCrop(of: 1, seed: 5) != store.randomCrop(of: 1, seed: 7))
    }
  }
}
