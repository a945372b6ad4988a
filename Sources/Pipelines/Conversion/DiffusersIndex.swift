import Checkpoints
import Diffusion
import Foundation
import Tokenizers

/// The files of a model folder that say what is in it and how it is sampled.
struct DiffusersIndex {
  let isForInpainting: Bool
  let isTurbo: Bool

  /// Writes `model_index.json` and `scheduler/scheduler_config.json`.
  func write(prediction: PredictionType, to folder: String) throws(CheckpointError) {
    let pipeline = isForInpainting ? "StableDiffusionInpaintPipeline" : "StableDiffusionPipeline"
    // Steps of one kind for turbo models, else the scheduler of the first releases.
    let scheduler = isTurbo ? "EulerDiscreteScheduler" : "PNDMScheduler"
    func part(_ library: String, _ name: String) -> ConfigValue {
      .array([.string(library), .string(name)])
    }
    let nothing = ConfigValue.array([.null, .null])
    try put(
      [
        "_class_name": .string(pipeline), "_diffusers_version": .string("0.27.0"),
        "feature_extractor": nothing, "requires_safety_checker": .boolean(false),
        "safety_checker": nothing, "scheduler": part("diffusers", scheduler),
        "text_encoder": part("transformers", "CLIPTextModel"),
        "tokenizer": part("transformers", "CLIPTokenizer"),
        "unet": part("diffusers", "UNet2DConditionModel"),
        "vae": part("diffusers", "AutoencoderKL"),
      ], folder + "/model_index.json")
    var settings: [String: ConfigValue] = [
      "_class_name": .string(scheduler), "_diffusers_version": .string("0.27.0"),
      "beta_end": .number(0.012), "beta_schedule": .string("scaled_linear"),
      "beta_start": .number(0.00085), "clip_sample": .boolean(false),
      "num_train_timesteps": .number(1000), "prediction_type": .string(prediction.rawValue),
      "set_alpha_to_one": .boolean(false), "steps_offset": .number(1), "trained_betas": .null,
    ]
    if isTurbo {
      settings["timestep_spacing"] = .string("trailing")
    } else {
      settings["skip_prk_steps"] = .boolean(true)
    }
    try makeFolder(folder + "/scheduler")
    try put(settings, folder + "/scheduler/scheduler_config.json")
  }

  private func put(_ object: [String: ConfigValue], _ path: String) throws(CheckpointError) {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    do {
      try encoder.encode(object).write(to: URL(fileURLWithPath: path))
    } catch {
      throw .unwritable(file: path, reason: error.localizedDescription)
    }
  }
}

extension SingleFileTokenizer {
  /// Writes the tokenizer's folder.
  func copy(to target: String) throws(CheckpointError) {
    if let folder { return try FolderCopy(of: folder, to: target).run() }
    do {
      try FileManager.default.createDirectory(atPath: target, withIntermediateDirectories: true)
      for file in try CLIPTokenizer.bundledFiles(padToken: padToken) {
        try file.contents.write(to: URL(fileURLWithPath: "\(target)/\(file.name)"))
      }
    } catch {
      throw .unwritable(file: target, reason: "\(error)")
    }
  }
}
