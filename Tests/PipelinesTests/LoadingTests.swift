import Foundation
import Pipelines
import TestSupport
import Testing

@Suite struct LoadingTests {
  private let scratch: ScratchFolder
  private let folder: String

  init() throws {
    scratch = try ScratchFolder()
    folder = try makeTinyModel(in: scratch)
  }

  private func refusal() -> String {
    let text = message { _ = try TextToImagePipeline.load(folder: folder) }
    #expect(!text.contains("\n"), "\(text)")
    return text
  }

  private func replace(_ old: String, with new: String, in name: String) throws {
    let path = "\(folder)/\(name)"
    let text = try String(contentsOfFile: path, encoding: .utf8)
    #expect(text.contains(old))
    try text.replacing(old, with: new).write(toFile: path, atomically: true, encoding: .utf8)
  }

  @Test func noSuchFolder() throws {
    let text = message { _ = try TextToImagePipeline.load(folder: "/no/such/model") }
    #expect(text.hasPrefix("/no/such/model is not a model folder: there is no such folder; "))
    try scratch.write("", to: "file")
    let file = message { _ = try TextToImagePipeline.load(folder: scratch("file")) }
    #expect(file.contains("it is a file"))
  }

  @Test(arguments: ["unet", "vae", "text_encoder", "tokenizer", "scheduler"])
  func aMissingPartIsNamed(_ part: String) throws {
    try FileManager.default.removeItem(atPath: "\(folder)/\(part)")
    #expect(refusal().hasPrefix("\(folder) is not a model folder: it has no \(part)/"))
  }

  @Test(arguments: [
    "unet/config.json", "unet/diffusion_pytorch_model.safetensors", "vae/config.json",
    "text_encoder/config.json", "text_encoder/model.safetensors",
    "scheduler/scheduler_config.json",
  ])
  func aMissingOrBrokenFileIsNamed(_ name: String) throws {
    let path = "\(folder)/\(name)"
    try Data("{\"half\": ".utf8).write(to: URL(fileURLWithPath: path))
    #expect(refusal().contains(path))
    try FileManager.default.removeItem(atPath: path)
    #expect(refusal().contains(path))
  }

  @Test func settingsAreNamedAsInTheirFile() throws {
    try replace("\"guidance_scale\": 3, ", with: "", in: "generation_config.json")
    #expect(refusal().contains("generation_config.json: found no \"guidance_scale\", expected"))
    try FileManager.default.removeItem(atPath: folder + "/generation_config.json")
    try replace("squaredcos_cap_v2", with: "sigmoid", in: "scheduler/scheduler_config.json")
    #expect(refusal().contains("found \"beta_schedule\": found \"sigmoid\", expected one of"))
  }

  @Test func aMissingVocabularyIsNamed() throws {
    try FileManager.default.removeItem(atPath: folder + "/tokenizer/vocab.txt")
    #expect(refusal().contains(folder + "/tokenizer"))
  }

  @Test func latentsOfAnotherKindAreRefused() throws {
    try replace("\"block_size\": 2", with: "\"block_size\": 4", in: "vae/config.json")
    let text = refusal()
    #expect(text.contains("unet/config.json"))
    #expect(text.contains("\"in_channels\" is 12; supported: 48, as vae/ makes them"))
  }

  @Test(arguments: ["0", "-1", "65", "null"])
  func blockSizesThatMakeNoSenseAreRefused(_ size: String) throws {
    try replace("\"block_size\": 2", with: "\"block_size\": \(size)", in: "vae/config.json")
    #expect(refusal().contains("\"block_size\""))
  }

  @Test func unknownKindsAreNamed() throws {
    try replace("SpaceToDepth", with: "VQModel", in: "vae/config.json")
    #expect(refusal().contains("vae/config.json: \"_class_name\" is VQModel"))
    try replace("VQModel", with: "SpaceToDepth", in: "vae/config.json")
    try replace("\"bert\"", with: "\"t5\"", in: "text_encoder/config.json")
    #expect(refusal().contains("text_encoder/config.json: \"model_type\" is t5"))
  }

  @Test func aTextEncoderOfAnotherWidthIsRefused() throws {
    try FileManager.default.removeItem(atPath: folder + "/text_encoder")
    let clip = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("Fixtures/stable_diffusion").path
    for part in ["text_encoder", "tokenizer"] {
      try? FileManager.default.removeItem(atPath: "\(folder)/\(part)")
      try FileManager.default.copyItem(atPath: "\(clip)/\(part)", toPath: "\(folder)/\(part)")
    }
    #expect(refusal().contains("\"cross_attention_dim\" is 12; supported: 16"))
  }
}
