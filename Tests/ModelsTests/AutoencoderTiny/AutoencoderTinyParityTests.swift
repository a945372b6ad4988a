import Checkpoints
import ComputeCore
import Foundation
import Models
import TestSupport
import Testing

@Suite struct AutoencoderTinyParityTests {
  @Test func bothDirectionsEqualDiffusers() throws {
    let fixture = try ModelFixture("vae_tiny")
    let model = try AutoencoderTiny.load(folder: fixture.path)
    expectClose(
      model.encode(try fixture.tensor("x")), try fixture.tensor("latents"), tolerance: 2e-6)
    expectClose(
      model.decode(try fixture.tensor("z")), try fixture.tensor("decoded"), tolerance: 2e-6)
    #expect(model.config.downscale == 4)
  }

  @Test func settingsFollowFromTheShapes() throws {
    let fixture = try ModelFixture("vae_tiny")
    let given = try AutoencoderTiny.loadConfig(folder: fixture.path)
    let deduced = try AutoencoderTinyConfig(
      deducedFrom: AutoencoderTiny.weights(folder: fixture.path))
    #expect(try ConfigFile.settings(of: deduced) == ConfigFile.settings(of: given))
  }

  @Test(arguments: [
    ("encoder_block_out_channels", "[6, 6, 8]"), ("decoder_block_out_channels", "[]"),
    ("num_encoder_blocks", "[1, 2]"), ("num_decoder_blocks", "[2, 1, -1]"),
    ("act_fn", "\"mish\""), ("upsampling_scaling_factor", "3"), ("latent_channels", "0"),
    ("scaling_factor", "0"), ("upsample_fn", "\"bilinear\""),
  ])
  func settingsThatCannotBeHonouredAreNamed(_ name: String, _ json: String) throws {
    let fixture = try ModelFixture("vae_tiny")
    let scratch = try ScratchFolder()
    let weights = "/\(AutoencoderTiny.weightsName).safetensors"
    try FileManager.default.copyItem(atPath: fixture.path + weights, toPath: scratch.path + weights)
    let text = try String(contentsOfFile: fixture.path + "/config.json", encoding: .utf8)
    let settings = try JSONDecoder().decode([String: ConfigValue].self, from: Data(text.utf8))
    let value = try JSONDecoder().decode(ConfigValue.self, from: Data(json.utf8))
    let changed = settings.merging([name: value]) { $1 }
    try JSONEncoder().encode(changed)
      .write(to: URL(fileURLWithPath: scratch("config.json")))
    do {
      _ = try AutoencoderTiny.load(folder: scratch.path)
      Issue.record("loaded")
    } catch {
      guard case .unsupported(_, name, _, _) = error else {
        Issue.record("\(error)")
        return
      }
    }
  }
}
