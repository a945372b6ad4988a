import ComputeCore
import Datasets
import ImageIO
import Pipelines
import TestSupport
import Testing
import Training

@Suite struct BatchesTests {
  private let photos: ScratchFolder

  /// Six pictures of one colour each, which tells them apart.
  init() throws {
    photos = try ScratchFolder()
    for index in 0..<6 {
      let shade = UInt8(40 * index)
      let image = Image(width: 24, height: 20, color: RGB(shade, shade, shade))
      try image.writePNG(to: photos("picture \(index).png"))
      try photos.write("number \(index)\nthe \(index)", to: "picture \(index).txt")
    }
  }

  private func captioned(
    seed: UInt64 = 1, _ change: (inout CaptionedBatches.Config) -> Void = { _ in }
  ) throws -> CaptionedBatches {
    var config = CaptionedBatches.Config()
    (config.batchSize, config.size) = (4, 16)
    change(&config)
    return try CaptionedBatches(
      CaptionedFolder(photos.path), conditioner: LetterConditioner(),
      codec: SpaceToDepthCodec(blockSize: 2), config, seed: seed)
  }

  private func style(seed: UInt64 = 1) throws -> StyleBatches {
    try StyleBatches(
      CaptionedFolder(photos.path).pictures, size: 16, batchSize: 4,
      conditioner: LetterConditioner(), codec: SpaceToDepthCodec(blockSize: 2), seed: seed)
  }

  @Test(arguments: [true, false])
  func batchesArePureFunctionsOfSeedAndNumber(_ isStyle: Bool) throws {
    func make(_ seed: UInt64) throws -> any DiffusionBatches {
      isStyle ? try style(seed: seed) : try captioned(seed: seed)
    }
    let (batches, again, other) = (try make(1), try make(1), try make(2))
    let forward = (0..<5).map { numbers(batches.batch($0)) }
    let backward = (0..<5).reversed().map { numbers(again.batch($0)) }
    #expect(forward == backward.reversed())
    #expect(Set(forward).count == 5)
    #expect(numbers(other.batch(0)) != forward[0])
  }

  @Test(arguments: [true, false])
  func shapesAreThoseOfTheCodec(_ isStyle: Bool) throws {
    let batches: any DiffusionBatches = isStyle ? try style() : try captioned()
    let batch = batches.batch(7)
    #expect(batch.latents.shape == [4, 8, 8, 12])
    #expect(batch.conditioning.states.shape == [4, 4, 3])
    #expect(batch.conditioning.mask?.shape == [4, 4])
  }

  @Test(arguments: [true, false])
  func anEpochHasEveryPictureOnce(_ isStyle: Bool) throws {
    let batches: any DiffusionBatches = isStyle ? try style() : try captioned()
    let shades = (0..<3).flatMap { index -> [Int] in
      let values = batches.batch(index).latents.values
      return (0..<4).map { Int(((values[$0 * values.count / 4] + 1) * 127.5 / 40).rounded()) }
    }
    #expect(shades[..<6].sorted() == Array(0..<6))
    #expect(shades[6...].sorted() == Array(0..<6))
  }

  @Test func captionsBelongToTheirPictures() throws {
    let batches = try captioned { $0.captionDropout = 0 }
    var texts: Set<Int> = []
    for index in 0..<12 {
      let batch = batches.batch(index)
      let shades = batch.latents.values
      for sample in 0..<4 {
        let number = Int(((shades[sample * shades.count / 4] + 1) * 127.5 / 40).rounded())
        let states = Array(batch.conditioning.states.values[sample * 12..<(sample + 1) * 12])
        let expected = ["number \(number)", "the \(number)"].map(encoded)
        let found = expected.firstIndex(of: states)
        #expect(found != nil, "picture \(number) of batch \(index)")
        texts.insert(found ?? -1)
      }
    }
    #expect(texts == [0, 1], "alternatives are used")
  }

  @Test(arguments: [0.0, 0.5, 1.0])
  func dropoutIsAsOftenAsAskedFor(_ share: Double) throws {
    let batches = try captioned {
      $0.captionDropout = share
      $0.batchSize = 64
    }
    let states = (0..<4).flatMap { batches.batch($0).conditioning.states.values }
    let empty = encoded("")
    let dropped = (0..<256).count { Array(states[$0 * 12..<($0 + 1) * 12]) == empty }
    // Half of 256 is 128 with a deviation of 8.
    #expect(share == 0.5 ? (96...160).contains(dropped) : dropped == Int(share * 256))
  }

  @Test func picturesAreMirroredOnlyWhenAskedFor() throws {
    let folder = try ScratchFolder()
    var image = Image(width: 16, height: 16, color: .black)
    for y in 0..<16 { for x in 0..<8 { image[x, y] = .white } }
    try image.writePNG(to: folder("half.png"))
    func sides(flips: Bool) throws -> Set<Float> {
      var config = CaptionedBatches.Config()
      (config.batchSize, config.size, config.flips) = (32, 16, flips)
      let latents = try CaptionedBatches(
        CaptionedFolder(folder.path), conditioner: LetterConditioner(),
        codec: SpaceToDepthCodec(blockSize: 2), config, seed: 1
      ).batch(0).latents.values
      return Set((0..<32).map { latents[$0 * latents.count / 32] })
    }
    #expect(try sides(flips: false) == [1])
    #expect(try sides(flips: true) == [-1, 1])
  }

  @Test func anUnreadablePictureIsNamed() throws {
    try photos.write("no picture", to: "broken.png")
    #expect(throws: TrainingError.self) { try captioned() }
    do {
      _ = try captioned()
    } catch {
      #expect("\(error)".contains("broken.png"))
    }
  }

  private func numbers(_ batch: DiffusionBatch) -> [Float] {
    batch.latents.values + batch.conditioning.states.values
  }

  /// What the store keeps of a text's states.
  private func encoded(_ text: String) -> [Float] {
    LetterConditioner().encode([text]).states.cast(to: .bfloat16).values
  }
}

@Suite struct EncodedTextsTests {
  @Test(arguments: [true, false])
  func statesAreThoseOfTheEncoderInHalfPrecision(_ isMasked: Bool) {
    let conditioner = LetterConditioner(isMasked: isMasked)
    // More than one batch of 64, with repetitions.
    let texts = (0..<150).map { "text \($0 % 130)" }
    var progress: [[Int]] = []
    let store = EncodedTexts(texts, conditioner) { progress.append([$0, $1]) }
    #expect(progress == [[64, 130], [128, 130], [130, 130]])
    let asked = ["text 129", "text 0", "text 64", "text 0"]
    let (found, expected) = (store.conditioning(asked), conditioner.encode(asked))
    #expect(found.states.dtype == .float32)
    #expect(found.states.values == expected.states.cast(to: .bfloat16).values)
    #expect(found.mask?.values == expected.mask?.values)
  }
}
