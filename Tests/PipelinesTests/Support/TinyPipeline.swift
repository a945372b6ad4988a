import Checkpoints
import ComputeCore
import Layers
import Models
import Pipelines
import TestSupport

/// Makes a model folder with a random U-Net; returns its path.
func makeTinyModel(in folder: ScratchFolder, seed: UInt64 = 1) throws -> String {
  let path = folder("model")
  try TinyModelFolder.write(to: path)
  let unet = try UNet2DConditionModel(UNet2DConditionModel.loadConfig(folder: path + "/unet"))
  var generator = TorchGenerator(seed: seed)
  unet.initialize(using: &generator)
  try unet.save(folder: path + "/unet")
  return path
}

/// The message of the error that `body` throws.
func message(_ body: () throws -> Void) -> String {
  do {
    try body()
    return "no error"
  } catch {
    return "\(error)"
  }
}
