import Foundation
import ImageIO
import TestSupport
import Testing

@Suite(.enabled(if: Program.exists, Program.whyNot)) struct SampleCommandTests {
  private let shop: Workshop
  private let sample = ["sample", "a \"red\" apple, on a table"]

  init() throws { shop = try Workshop() }

  @Test func aSeedGivesTheSameFileEveryTime() throws {
    let arguments = sample + ["--model", "model", "--seed", "7", "--negative", "blue"]
    let first = try Program.run(arguments + ["--out", "a/b/one.png"], in: shop.folder)
    #expect(first.status == 0 && first.output == "a/b/one.png\n")
    _ = try Program.run(arguments + ["--out", "two.png", "--threads", "1"], in: shop.folder)
    let file = try ImageFile(contentsOf: shop.folder("a/b/one.png"))
    #expect(try bytes(shop.folder("two.png")) == bytes(shop.folder("a/b/one.png")))
    #expect((file.image.width, file.image.height) == (16, 16))
    let text = try #require(file.text["parameters"])
    #expect(
      text.hasPrefix(
        """
        a "red" apple, on a table
        Negative prompt: blue
        Steps: 4, Sampler: DDIM, CFG scale: 3, Seed: 7, Size: 16x16, 
        """))
    #expect(text.contains("Model: model, ") && text.contains("Version: imgen-"))
  }

  @Test func settingsReachThePicture() throws {
    let outcome = try shop.expectSuccess(
      "sample apple --model model --seed 3 --steps 3 --sampler dpmpp_2m_karras --guidance 1.5 "
        + "--size 20x12 --out a.png")
    #expect(outcome.output == "a.png\n")
    let file = try ImageFile(contentsOf: shop.folder("a.png"))
    #expect((file.image.width, file.image.height) == (20, 12))
    #expect(
      try #require(file.text["parameters"]).hasPrefix(
        """
        apple
        Steps: 3, Sampler: DPM++ 2M, Schedule type: Karras, CFG scale: 1.5, Seed: 3, Size: 20x12, 
        """))
  }

  @Test func severalPicturesAreThoseOfTheirSeeds() throws {
    try shop.expectSuccess("sample apple --model model --seed 5 --count 10 --grid --out many")
    try shop.expectSuccess("sample apple --model model --seed 14 --out last.png")
    let names = try shop.folder.names(in: "many")
    #expect(names.count == 11)
    #expect(names.contains("apple-5-grid.png") && names.contains("apple-14.png"))
    #expect(try bytes(shop.folder("many/apple-14.png")) == bytes(shop.folder("last.png")))
  }

  @Test func withoutOutTheFileIsNamedAfterThePrompt() throws {
    let outcome = try Program.run(
      sample + ["--model", "model", "--seed", "1"], in: shop.folder)
    #expect(outcome.output == "a-red-apple-on-a-table-1.png\n")
    #expect(FileManager.default.fileExists(atPath: shop.folder("a-red-apple-on-a-table-1.png")))
  }

  @Test func promptsOfAFileAreDrawnEach() throws {
    try shop.folder.write("apple\n\napple!\nAPPLE\nhouse\n", to: "prompts.txt")
    try shop.expectSuccess(
      "sample --prompts-from prompts.txt --model model --seed 5 --count 2 --grid --out many")
    let stems = ["apple-5", "apple-5-2", "apple-5-3", "apple-6", "apple-6-2", "apple-6-3"]
    let names = stems + ["house-5", "house-6", "prompts-5-grid"]
    #expect(try shop.folder.names(in: "many") == names.map { $0 + ".png" }.sorted())
    let second = try ImageFile(contentsOf: shop.folder("many/apple-5-2.png"))
    #expect(second.text["parameters"]?.hasPrefix("apple!\n") == true)
  }

  @Test func aSecondPassIsWhatInitGivesWithTheFirst() throws {
    let outcome = try shop.expectSuccess(
      "sample apple --model model --seed 3 --hires 1.5 --hires-steps 5 --hires-strength 0.6 "
        + "--out a.png --json")
    #expect(outcome.output.contains("\"width\" : 24"))
    try shop.expectSuccess("sample apple --model model --seed 3 --out small.png")
    try shop.expectSuccess(
      "sample apple --model model --seed 3 --init small.png --size 24x24 --steps 5 --strength 0.6 "
        + "--out b.png")
    let file = try ImageFile(contentsOf: shop.folder("a.png"))
    #expect(try file.image == ImageFile(contentsOf: shop.folder("b.png")).image)
    #expect(
      try #require(file.text["parameters"]).contains(
        "Denoising strength: 0.6, RNG: CPU, Hires upscale: 1.5, Hires steps: 5, "
          + "Hires upscaler: Lanczos, "))
  }

  @Test func previewsChangeNothingAndGoInTheEnd() throws {
    try shop.expectSuccess("sample apple --model model --seed 3 --count 2 --out plain")
    let shown = "sample apple --model model --seed 3 --count 2 --out shown --preview-every 2"
    try shop.expectSuccess(shown)
    #expect(try shop.folder.names(in: "shown") == ["apple-3.png", "apple-4.png"])
    for name in ["apple-3.png", "apple-4.png"] {
      #expect(try bytes(shop.folder("shown/\(name)")) == bytes(shop.folder("plain/\(name)")))
    }
  }

  @Test func aPreviewIsThereWhileAPictureIsDrawn() throws {
    let run = try shop.start(
      "sample apple --model model --seed 3 --steps 1000 --preview-every 1 --out a.png")
    let preview = shop.folder("a.preview.png")
    while run.isRunning, !FileManager.default.fileExists(atPath: preview) { usleep(200) }
    let picture = try #require(try? ImageFile(contentsOf: preview).image)
    #expect((picture.width, picture.height) == (16, 16))
    #expect(try run.outcome().status == 0)
    #expect(!FileManager.default.fileExists(atPath: preview))
    #expect(FileManager.default.fileExists(atPath: shop.folder("a.png")))
  }

  @Test func picturesWhosePreviewCannotBeWrittenAreDrawn() throws {
    try FileManager.default.createDirectory(
      atPath: shop.folder("a.preview.png/full"), withIntermediateDirectories: true)
    let outcome = try shop.expectSuccess(
      "sample apple --model model --preview-every 1 --out a.png")
    #expect(outcome.errors.contains("no previews: "))
    #expect(outcome.errors.count { $0 == "\n" } == 1)
    #expect(FileManager.default.fileExists(atPath: shop.folder("a.png")))
  }

  @Test func infoShowsHowAPictureWasMade() throws {
    try shop.expectSuccess("sample red apple --model model --seed 5 --out a.png")
    let facts = try shop.expectSuccess("info a.png").output
    for fact in ["16x16", "red apple", "DDIM", "CFG scale"] { #expect(facts.contains(fact)) }
    let model = try shop.expectSuccess("info model").output
    for fact in ["12 channels", "sample", "ddim, 4 steps"] { #expect(model.contains(fact)) }
    let json = try shop.expectSuccess("info a.png --json").output
    let object = try JSONSerialization.jsonObject(with: Data(json.utf8))
    #expect((object as? [String: Any])?["Seed"] != nil)
  }

  @Test func jsonIsOneObject() throws {
    let outcome = try shop.expectSuccess(
      "sample apple --model model --seed 18446744073709551615 --count 2 --json --out many")
    let object = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8))
    let report = try #require(object as? [String: Any])
    let files = ["many/apple-18446744073709551615.png", "many/apple-0.png"]
    #expect(report["files"] as? [String] == files)
    #expect(report["sampler"] as? String == "ddim")
    #expect(report["steps"] as? Int == 4)
    #expect(report["width"] as? Int == 16)
    #expect((report["seed"] as? NSNumber)?.uint64Value == .max)
    #expect(outcome.errors.isEmpty)
  }

  @Test func quietPrintsNothing() throws {
    let long = String(repeating: "word-", count: 30)
    let outcome = try shop.expectSuccess("sample \(long) --model model --quiet --out a.png")
    #expect(outcome.output.isEmpty && outcome.errors.isEmpty)
    #expect(FileManager.default.fileExists(atPath: shop.folder("a.png")))
  }

  @Test func aPromptThatIsTooLongIsWarnedAbout() throws {
    let outcome = try shop.expectSuccess("sample abcdefghijklmnop --model model --out a.png")
    #expect(outcome.errors.contains("its last 6 tokens are left out"))
  }
}
