import Foundation
import ImageIO
import TestSupport
import Testing

@Suite(.enabled(if: Program.exists, Program.whyNot)) struct TrainStyleCommandTests {
  private let shop: Workshop

  init() throws { shop = try Workshop() }

  @Test func aStyleIsLearntWrittenAndUsed() throws {
    let photos = try shop.listing()
    let outcome = try shop.expectSuccess(
      "train-style photos --model model --steps 8 --batch 4 --rank 2 --out out/style.safetensors "
        + "--learning-rate 0.01")
    #expect(
      outcome.output.contains("Try: imgen sample \"a red apple\" --lora out/style.safetensors"))
    #expect(try shop.folder.names(in: "out") == ["style.png", "style.safetensors"])
    let kept = try shop.listing().filter { !$0.hasPrefix("out") }
    #expect(kept == photos, "photos and model are left as they were")

    let header = String(decoding: try bytes(shop.folder("out/style.safetensors")), as: UTF8.self)
    #expect(header.contains("lora_unet_") && header.contains("lora_down.weight"))
    #expect(header.contains("ss_network_dim"))

    let sample = "sample apple --model model --seed 1 -q"
    try shop.expectSuccess("\(sample) --out plain.png")
    try shop.expectSuccess("\(sample) --lora out/style.safetensors --out style.png")
    try shop.expectSuccess("\(sample) --lora out/style.safetensors:0 --out none.png")
    let pictures = try ["plain", "style", "none"].map {
      try ImageFile(contentsOf: shop.folder("\($0).png")).image
    }
    #expect(pictures[0] != pictures[1])
    #expect(pictures[0] == pictures[2])
  }

  @Test func sameSeedSameFile() throws {
    for name in ["a", "b"] {
      try shop.expectSuccess(
        "train-style photos --model model --steps 4 --batch 2 --seed 5 -q "
          + "--out \(name)/style.safetensors --threads \(name == "a" ? 1 : 2)")
    }
    #expect(try bytes(shop.folder("a/style.png")) == bytes(shop.folder("b/style.png")))
  }

  @Test func jsonAndQuiet() throws {
    let command = "train-style photos --model model --steps 4 --batch 2"
    let outcome = try shop.expectSuccess("\(command) --json")
    let object = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8))
    let report = try #require(object as? [String: Any])
    #expect(report["lora"] as? String == "photos.safetensors")
    #expect(report["photos"] as? Int == 8)
    #expect(outcome.errors.isEmpty)
    let quiet = try shop.expectSuccess("\(command) --quiet")
    #expect(quiet.output.isEmpty && quiet.errors.isEmpty)
  }
}
