import Checkpoints
import ComputeCore
import Foundation
import Layers
import Models
import Testing

/// Folders that we write equal those of diffusers and transformers that they were read from.
@Suite struct SavedFolderTests {
  private func expectSame<Model: ConfiguredModule>(
    _ type: Model.Type, _ name: String, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let fixture = try ModelFixture(name)
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("imgen-models-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try Model.load(folder: fixture.path).save(folder: folder)

    let original = try settings(fixture.path)
    for (key, value) in try settings(folder) where key != "_diffusers_version" {
      // A key that transformers does not know is kept by it as an attribute.
      guard key != "add_pooling_layer" else { continue }
      #expect(value == original[key], "\(name): \(key)", sourceLocation: sourceLocation)
    }
    let weights = "/\(Model.weightsName).safetensors"
    let saved = try SafetensorsFile(folder + weights)
    let expected = try SafetensorsFile(fixture.path + weights)
    #expect(saved.keys == expected.keys, sourceLocation: sourceLocation)
    for key in expected.keys {
      #expect(saved.shape(of: key) == expected.shape(of: key), sourceLocation: sourceLocation)
      #expect(
        try saved.bytes(key) == (try expected.bytes(key)), "\(name): \(key)",
        sourceLocation: sourceLocation)
    }
  }

  private func settings(_ folder: String) throws -> [String: ConfigValue] {
    let data = try Data(contentsOf: URL(fileURLWithPath: folder + "/config.json"))
    return try JSONDecoder().decode([String: ConfigValue].self, from: data)
  }

  @Test(arguments: [
    "unet_sd1", "unet_sd2", "unet_odd_size", "unet_some_levels", "unet_bundled", "unet_no_text",
  ])
  func uNet(_ name: String) throws {
    try expectSame(UNet2DConditionModel.self, name)
  }

  @Test(arguments: ["vae_sd", "vae_one_level", "vae_no_quant"])
  func autoencoder(_ name: String) throws {
    try expectSame(AutoencoderKL.self, name)
  }

  @Test(arguments: ["clip_sd1", "clip_sd1_new_eos", "clip_sd2"])
  func textEncoder(_ name: String) throws {
    try expectSame(CLIPTextModel.self, name)
  }

  @Test func bert() throws {
    try expectSame(BertModel.self, "bert")
  }
}
