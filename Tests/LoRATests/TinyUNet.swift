import Checkpoints
import ComputeCore
import Foundation
import Models
import Testing

/// The U-Net that scripts/fixtures/lora.py made, with inputs and outputs of peft.
struct TinyUNet {
  let model: UNet2DConditionModel
  let io: SafetensorsFile

  /// Opens a fixture by its folder, `attention` or `with_conv`.
  init(_ adapter: String = "attention") throws {
    model = try UNet2DConditionModel.load(folder: fixturePath("unet"))
    io = try SafetensorsFile(fixturePath("\(adapter)/io.safetensors"))
  }

  /// The output for the stored inputs, `[2, 8, 6, 4]`.
  func output() throws -> Tensor {
    model(
      try io.tensor("sample"), timesteps: try io.int32s("timestep").map(Float.init),
      encoderHiddenStates: try io.tensor("encoder_hidden_states"))
  }
}

/// A file of Tests/LoRATests/Fixtures.
func fixturePath(_ name: String) -> String {
  URL(fileURLWithPath: #filePath).deletingLastPathComponent().path + "/Fixtures/\(name)"
}

/// Runs `body` with the path of a new folder and removes it afterwards.
func withTemporaryFolder<R>(_ body: (String) throws -> R) throws -> R {
  let folder = FileManager.default.temporaryDirectory.path + "/lora-\(UUID().uuidString)"
  try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(atPath: folder) }
  return try body(folder)
}
