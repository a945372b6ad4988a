import Checkpoints
import ComputeCore
import Diffusion
import Foundation
import Layers
import LoRA
import Models
import Pipelines
import Testing

/// The folder of the fixtures.
let fixtureFolder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
  .deletingLastPathComponent().appendingPathComponent("Fixtures").path

/// The model that `scripts/fixtures/pipeline.py` makes.
let modelFolder = fixtureFolder + "/stable_diffusion"

extension TextToImagePipeline {
  /// A model by the name that `scripts/fixtures/pipeline_samplers.py` gives it.
  ///
  /// - Parameters:
  ///   - name: what the cases call `model`.
  ///   - strength: of the adapters, for the models that are named after a dialect of theirs.
  /// - Returns: the pipeline.
  /// - Throws: what loading refuses.
  static func fixture(_ name: String, strength: Float) throws -> TextToImagePipeline {
    switch name {
    case "sd2": return try load(folder: fixtureFolder + "/stable_diffusion_2")
    case "tiny":
      var options = LoadingOptions()
      options.autoencoder = fixtureFolder + "/autoencoder_tiny"
      return try load(folder: modelFolder, options)
    case "nine": return try load(folder: modelFolder).forInpainting()
    case "peft", "kohya":
      let pipeline = try load(folder: modelFolder)
      let file = try LoRAFile(fixtureFolder + "/lora/\(name).safetensors")
      let encoder = try #require(pipeline.conditioner.adaptableModel)
      let attached = try file.attach(
        to: [.unet: pipeline.unet, .textEncoder: encoder], strength: strength)
      #expect(attached.skippedKeys.isEmpty && attached.unmatchedKeys.isEmpty)
      return pipeline
    default: return try load(folder: modelFolder)
    }
  }

  /// The model with the U-Net of `scripts/fixtures/pipeline_painting.py`, which reads masks.
  func forInpainting() throws -> TextToImagePipeline {
    let file = try SafetensorsFile(fixtureFolder + "/painting.safetensors")
    var config = unet.config
    config.inChannels = 9
    let wide = try UNet2DConditionModel(config)
    let own = Dictionary(
      uniqueKeysWithValues: unet.namedParameters().map { ($0.key, $0.parameter) })
    for (key, parameter) in wide.namedParameters() {
      parameter.value =
        key == "conv_in.weight"
        ? parameter.fromCheckpoint(try file.tensor("nine.conv_in.weight"))
        : try #require(own[key]).value
    }
    return TextToImagePipeline(
      unet: wide, codec: codec, conditioner: conditioner, scheduler: scheduler,
      defaults: defaults, name: "inpainting")
  }

  /// The model with another scheduler config.
  func with(_ scheduler: SchedulerConfig) -> TextToImagePipeline {
    TextToImagePipeline(
      unet: unet, codec: codec, conditioner: conditioner, scheduler: scheduler,
      defaults: defaults, name: name)
  }
}
