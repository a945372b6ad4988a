import Checkpoints
import ComputeCore
import Foundation
import Testing

@Suite struct SingleFileKeysTests {
  /// Every tensor of Stable Diffusion 1: its part, its single-file key and diffusers' key for it.
  private let rows: [(part: String, key: String, expected: String)]

  init() throws {
    let path =
      URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().path + "/Fixtures/single_file_keys.tsv"
    rows = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").dropFirst()
      .map {
        let fields = $0.split(separator: "\t").map(String.init)
        return (fields[0], fields[1], fields[2])
      }
  }

  @Test(arguments: [
    ("unet", KeyMap.singleFileUNet(), 686), ("vae", KeyMap.singleFileAutoencoder(), 248),
    ("clip", KeyMap.singleFileClipText, 196),
  ])
  func keysBecomeThoseOfDiffusers(_ part: String, _ map: KeyMap, _ count: Int) {
    let found = rows.compactMap { row in map(row.key).map { (row.part, $0, row.expected) } }
    #expect(found.count == count)
    for (owner, key, expected) in found {
      #expect(owner == part)
      // transformers 5 writes CLIP without the prefix; ours has it as in every older file.
      #expect(key == expected || key == "text_model.\(expected)")
    }
  }

  @Test func otherTensorsOfTheFileAreIgnored() {
    for key in [
      "model_ema.decay", "alphas_cumprod", "cond_stage_model.logit_scale", "betas",
      "cond_stage_model.transformer.text_model.embeddings.position_ids",
    ] {
      #expect(KeyMap.singleFileUNet()(key) == nil)
      #expect(KeyMap.singleFileAutoencoder()(key) == nil)
      #expect(KeyMap.singleFileClipText(key) == nil)
    }
  }

  @Test(arguments: [
    "model.diffusion_model.input_blocks.x.y.z.weight", "model.diffusion_model.label_emb.0.weight",
    "model.diffusion_model.", "model.diffusion_model.out",
  ])
  func unknownTensorsOfThePartAreNotDropped(_ key: String) {
    #expect(KeyMap.singleFileUNet()(key) != nil)
  }

  @Test(arguments: ["", ".", "..", "a"])
  func namesWithoutPartsAreRefused(_ key: String) throws {
    let folder = try TemporaryFolder()
    try SafetensorsWriter.write(
      [SafetensorsEntry(key, Tensor(1))], to: folder.file("a.safetensors"))
    let file = try SafetensorsFile(folder.file("a.safetensors"))
    let nothing = CheckpointPart(of: file)
    let assembly = SingleFileAssembly(
      unet: file, autoencoder: nothing, textEncoder: nothing, kind: .clip, layersPerBlock: 1,
      autoencoderLevels: 1)
    #expect(throws: CheckpointError.self) { try assembly.tensors(path: "model") }
  }

  @Test func bareAutoencodersAreRead() {
    #expect(
      KeyMap.singleFileAutoencoder()("decoder.up.3.block.0.nin_shortcut.weight")
        == "decoder.up_blocks.0.resnets.0.conv_shortcut.weight")
    #expect(KeyMap.singleFileAutoencoder()("loss.logvar") == nil)
  }
}
