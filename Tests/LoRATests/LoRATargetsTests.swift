import ComputeCore
import LoRA
import Models
import Testing

/// Counts that kohya's and LyCORIS's trainers report for Stable Diffusion 1.x.
@Suite struct LoRATargetsTests {
  @Test(arguments: [
    (LoRATargets.attention, 128),
    (LoRATargets([.attention, .projections, .feedForward]), 192), (LoRATargets.all, 278),
  ])
  func countOfAdaptersIsThatOfTheTrainers(_ targets: LoRATargets, _ count: Int) throws {
    let unet = try UNet2DConditionModel(UNetConfig())
    var generator = TorchGenerator(seed: 0)
    let network = try LoRANetwork.attach(to: unet, rank: 1, targets: targets, using: &generator)
    #expect(network.namedAdapters.count == count)
  }

  @Test func textEncoderHasSixLayersInEachBlock() throws {
    let text = try CLIPTextModel(CLIPTextConfig())
    var generator = TorchGenerator(seed: 0)
    let network = try LoRANetwork.attach(
      to: text, rank: 1, targets: [.attention, .feedForward], component: .textEncoder,
      using: &generator)
    #expect(network.namedAdapters.count == 72)
    #expect(
      network.namedAdapters.contains { $0.path == "text_model.encoder.layers.11.mlp.fc2" })
  }

  @Test(arguments: [
    ("down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_out.0", LoRATargets.attention),
    ("mid_block.attentions.0.proj_in", .projections), ("a.ff.net.0.proj", .feedForward),
    ("up_blocks_0_upsamplers_0_conv", .convolutions), ("resnets.0.conv_shortcut", .convolutions),
    ("resnets_0_time_emb_proj", .timeProjections), ("conv_in", LoRATargets()),
    ("conv_out", LoRATargets()),
    ("time_embedding.linear_1", LoRATargets()), ("not_to_qq", LoRATargets()),
    ("encoder.layer.0.attention.output.dense", .attention),
    ("encoder.layer.0.output.dense", .feedForward),
  ])
  func kindFollowsFromThePath(_ path: String, _ kind: LoRATargets) {
    #expect(LoRATargets(path: path) == kind)
  }
}
