import Checkpoints
import ComputeCore
import Foundation
import Models
import Testing

/// Settings that cannot be honoured are refused by name, and none of them crashes.
@Suite struct ModelConfigTests {
  private func key<Model: ConfiguredModule>(
    refusedBy type: Model.Type, _ changes: [String: Any], in name: String
  ) throws -> String? {
    let fixture = try ModelFixture(name)
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("imgen-config-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let weights = "/\(Model.weightsName).safetensors"
    try FileManager.default.copyItem(atPath: fixture.path + weights, toPath: folder + weights)
    let data = try Data(contentsOf: URL(fileURLWithPath: fixture.path + "/config.json"))
    var settings = try #require(JSONSerialization.jsonObject(with: data) as? [String: Any])
    settings.merge(changes) { $1 }
    try JSONSerialization.data(withJSONObject: settings)
      .write(to: URL(fileURLWithPath: folder + "/config.json"))
    do {
      _ = try Model.load(folder: folder)
      return nil
    } catch {
      guard case .unsupported(_, let key, _, _) = error else { throw error }
      return key
    }
  }

  @Test(arguments: [
    ("down_block_types", "[\"AttnDownBlock2D\", \"DownBlock2D\", \"DownBlock2D\"]"),
    ("up_block_types", "[\"UpBlock2D\"]"),
    ("mid_block_type", "\"UNetMidBlock2DSimpleCrossAttn\""),
    ("mid_block_type", "null"),
    ("class_embed_type", "\"timestep\""),
    ("addition_embed_type", "\"text_time\""),
    ("act_fn", "\"gelu\""),
    ("time_embedding_type", "\"fourier\""),
    ("resnet_time_scale_shift", "\"scale_shift\""),
    ("num_class_embeds", "10"),
    ("dual_cross_attention", "true"),
    ("only_cross_attention", "[true, false, false]"),
    ("conv_in_kernel", "1"),
    ("dropout", "0.1"),
    ("layers_per_block", "[1, 2]"),
    ("layers_per_block", "-1"),
    ("layers_per_block", "1000000000"),
    ("transformer_layers_per_block", "[[1], [1], [1]]"),
    ("attention_head_dim", "3"),
    ("attention_head_dim", "0"),
    ("norm_num_groups", "0"),
    ("block_out_channels", "[]"),
    ("block_out_channels", "[4, 4, 9223372036854775807]"),
    ("block_out_channels", "[-4, 4, 8]"),
    ("in_channels", "1e30"),
    ("out_channels", "0"),
    ("cross_attention_dim", "[10, 10, 10]"),
    ("freq_shift", "7"),
    ("downsample_padding", "3"),
    ("norm_eps", "-1"),
  ])
  func uNetRefuses(_ name: String, _ json: String) throws {
    let value = try JSONSerialization.jsonObject(
      with: Data(json.utf8), options: .fragmentsAllowed)
    #expect(
      try key(refusedBy: UNet2DConditionModel.self, [name: value], in: "unet_sd2") == name)
  }

  @Test(arguments: [
    ("down_block_types", "[\"AttnDownEncoderBlock2D\", \"DownEncoderBlock2D\"]"),
    ("up_block_types", "[]"),
    ("act_fn", "\"mish\""),
    ("block_out_channels", "[4, 5]"),
    ("latent_channels", "0"),
    ("layers_per_block", "9000000000000000000"),
    ("scaling_factor", "0"),
    ("latents_mean", "[0.1]"),
  ])
  func autoencoderRefuses(_ name: String, _ json: String) throws {
    let value = try JSONSerialization.jsonObject(with: Data(json.utf8), options: .fragmentsAllowed)
    #expect(try key(refusedBy: AutoencoderKL.self, [name: value], in: "vae_no_quant") == name)
  }

  @Test(arguments: [
    ("hidden_act", "\"mish\""), ("num_attention_heads", "3"), ("hidden_size", "-16"),
    ("vocab_size", "1e18"), ("num_hidden_layers", "0"), ("max_position_embeddings", "0"),
  ])
  func textEncodersRefuse(_ name: String, _ json: String) throws {
    let value = try JSONSerialization.jsonObject(with: Data(json.utf8), options: .fragmentsAllowed)
    #expect(try key(refusedBy: CLIPTextModel.self, [name: value], in: "clip_sd1") == name)
    let heads = name == "num_attention_heads" ? 5 : value
    #expect(try key(refusedBy: BertModel.self, [name: heads], in: "bert") == name)
  }

  @Test func relativePositionsAreRefused() throws {
    #expect(
      try key(
        refusedBy: BertModel.self, ["position_embedding_type": "relative_key"], in: "bert")
        == "position_embedding_type")
  }

  @Test func aConfigThatDoesNotFitTheWeightsIsAMismatch() throws {
    do {
      _ = try key(refusedBy: UNet2DConditionModel.self, ["in_channels": 9], in: "unet_sd2")
      Issue.record("loaded")
    } catch let error as CheckpointError {
      guard case .mismatch(_, [], [], let shapes) = error else {
        Issue.record("\(error)")
        return
      }
      #expect(shapes.map(\.key) == ["conv_in.weight"])
      #expect(shapes.map(\.expected) == [[4, 9, 3, 3]])
    }
  }
}
