import Foundation
import ImageIO

/// A model folder in the layout of the bundled model that draws pictures of 16 x 16 in no time:
/// blocks of 2 x 2 pixels, a BERT encoder with letters as words, a U-Net of two levels.
///
/// Everything is there but the U-Net's weights, which a test makes with the code under test.
package enum TinyModelFolder {
  /// Makes the folder.
  ///
  /// - Parameters:
  ///   - folder: must not exist.
  ///   - prediction: what the U-Net puts out, in diffusers' spelling.
  /// - Throws: what the file system refuses.
  package static func write(to folder: String, prediction: String = "sample") throws {
    let files = FileManager.default
    try files.createDirectory(
      atPath: folder + "/text_encoder", withIntermediateDirectories: true)
    for part in ["unet", "vae", "tokenizer", "scheduler"] {
      try files.createDirectory(atPath: "\(folder)/\(part)", withIntermediateDirectories: false)
    }
    for name in ["config.json", "model.safetensors"] {
      try files.copyItem(
        atPath: "\(bertFixture)/\(name)", toPath: "\(folder)/text_encoder/\(name)")
    }
    func put(_ text: String, _ name: String) throws {
      try Data(text.utf8).write(to: URL(fileURLWithPath: "\(folder)/\(name)"))
    }
    try put(unet, "unet/config.json")
    try put("{\"_class_name\": \"SpaceToDepth\", \"block_size\": 2}", "vae/config.json")
    try put(vocabulary.joined(separator: "\n") + "\n", "tokenizer/vocab.txt")
    try put(
      "{\"do_lower_case\": true, \"model_max_length\": 12}", "tokenizer/tokenizer_config.json")
    try put(
      """
      {"_class_name": "DDIMScheduler", "beta_schedule": "squaredcos_cap_v2", "clip_sample": false,
       "prediction_type": "\(prediction)", "timestep_spacing": "trailing"}
      """, "scheduler/scheduler_config.json")
    try put(
      """
      {"steps": 4, "guidance_scale": 3, "sampler": "ddim", "width": 16, "height": 16}
      """, "generation_config.json")
  }

  /// Writes `count` sharp pictures of `side` x `side`, all different, named after a colour.
  package static func writePhotos(_ count: Int, side: Int, to folder: String) throws {
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let colors = ["red", "green", "blue", "white"]
    for index in 0..<count {
      var pixels: [UInt8] = []
      var state = UInt32(truncatingIfNeeded: index) &* 2_654_435_761 | 1
      let cell = max(1, side / 8)
      var cells: [UInt8] = []
      for _ in 0..<8 * 8 * 3 {
        state = state &* 1_664_525 &+ 1_013_904_223
        cells.append(UInt8(state >> 24))
      }
      for y in 0..<side {
        for x in 0..<side {
          let place = min(7, y / cell) * 8 + min(7, x / cell)
          pixels += cells[place * 3..<place * 3 + 3]
        }
      }
      let image = Image(width: side, height: side, pixels: pixels)
      try image.writePNG(to: "\(folder)/a_\(colors[index % 4])_thing_\(index).png")
    }
  }

  private static let bertFixture = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("ModelsTests/Fixtures/bert").path

  /// 60 tokens, as the encoder expects: five special ones, letters, letters inside of words.
  private static let vocabulary: [String] = {
    let letters = "abcdefghijklmnopqrstuvwxyz".map(String.init)
    return ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + letters + letters.map { "##" + $0 }
      + [",", ".", "-"]
  }()

  private static let unet = """
    {"_class_name": "UNet2DConditionModel", "sample_size": 8, "in_channels": 12,
     "out_channels": 12, "block_out_channels": [8, 16],
     "down_block_types": ["CrossAttnDownBlock2D", "DownBlock2D"],
     "up_block_types": ["UpBlock2D", "CrossAttnUpBlock2D"], "layers_per_block": 1,
     "norm_num_groups": 4, "cross_attention_dim": 12, "attention_head_dim": 2}
    """
}
