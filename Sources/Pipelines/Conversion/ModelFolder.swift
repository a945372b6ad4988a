import Checkpoints
import Diffusion
import Foundation
import Models

/// A model folder of diffusers that is to be rewritten.
struct ModelFolder {
  private let path: String

  init(_ path: String) throws(CheckpointError) {
    self.path = path
    guard FileManager.default.fileExists(atPath: path + "/unet/config.json") else {
      throw .unreadable(
        file: path + "/unet/config.json", reason: "no such file; is it a model folder?")
    }
  }

  /// The same folder, to be written in another precision; whatever is no weights is copied.
  func folder() throws(CheckpointError) -> ModelWriting {
    var writing = ModelWriting()
    writing.isFolder = true
    for part in ["unet", "vae", "text_encoder"] {
      let stem = part == "text_encoder" ? "model" : "diffusion_pytorch_model"
      if part == "vae", try isWithoutWeights("vae") { continue }
      writing.files.append(
        .init(
          name: "\(part)/\(stem).safetensors",
          source: try WeightFiles.open(stem, in: "\(path)/\(part)")))
    }
    let folder = path
    writing.settings = { target throws(CheckpointError) in
      try copyRest(of: folder, to: target)
    }
    return writing
  }

  /// Codecs such as `SpaceToDepth` have a config only.
  private func isWithoutWeights(_ part: String) throws(CheckpointError) -> Bool {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: "\(path)/\(part)")) ?? []
    return !names.contains { isWeights($0) }
  }

  /// The models of the folder under the names of a single file.
  ///
  /// - Throws: `CheckpointError.unsupported` for settings that a single file cannot tell.
  func singleFile() throws(CheckpointError) -> ModelWriting {
    let unet = try config(of: UNet2DConditionModel.self, "unet")
    let vae = try config(of: AutoencoderKL.self, "vae")
    let text = try config(of: CLIPTextModel.self, "text_encoder")
    let assembly = SingleFileAssembly(
      unet: try UNet2DConditionModel.weights(folder: path + "/unet"),
      autoencoder: try CheckpointPart(
        of: AutoencoderKL.weights(folder: path + "/vae"), AutoencoderKL.keyMap),
      textEncoder: try CheckpointPart(
        of: CLIPTextModel.weights(folder: path + "/text_encoder"), CLIPTextModel.keyMap),
      kind: text.hiddenAct == "quick_gelu" ? .clip : .openClip,
      layersPerBlock: unet.layersPerBlock.first, autoencoderLevels: vae.blockOutChannels.count)
    let source = try assembly.tensors(path: path)
    let deduced = try SingleFileModel(source)
    try compare(unet, deduced.unetConfig, "unet", ignoring: ["sample_size"])
    try compare(vae, deduced.autoencoderConfig, "vae", ignoring: ["sample_size"])
    try compare(
      text, deduced.textEncoderConfig, "text_encoder",
      ignoring: ["projection_dim", "bos_token_id", "eos_token_id", "pad_token_id"])
    var writing = ModelWriting()
    writing.files = [.init(name: "", source: source, metadata: try metadata(deduced, unet))]
    return writing
  }

  /// The settings of a part, once it is known that they go together.
  private func config<Model: ConfiguredModule>(
    of type: Model.Type, _ part: String
  ) throws(CheckpointError) -> Model.Config {
    let config = try Model.loadConfig(folder: "\(path)/\(part)")
    do throws(ConfigError) {
      _ = try Model(config)
    } catch {
      throw .unsupported(
        file: "\(path)/\(part)/config.json", key: error.key, found: error.found,
        expected: error.expected)
    }
    return config
  }

  /// What the names of Stability AI's ModelSpec say of a model, and what they cannot.
  private func metadata(
    _ model: SingleFileModel, _ config: UNetConfig
  ) throws(CheckpointError) -> [String: String] {
    let scheduler: SchedulerConfig
    do throws(PipelineError) {
      scheduler = try TextToImagePipeline.loadScheduler(path)
    } catch {
      throw .malformed(
        file: path + "/scheduler", found: "\(error)", expected: "scheduler_config.json")
    }
    let version = model.checkpoint.textEncoder == .openClip ? "v2" : "v1"
    let latents = min(1 << 16, config.sampleSize?.largest ?? 64)
    let side = latents * (model.autoencoderConfig?.downscale ?? 8)
    return [
      "format": "pt", "modelspec.sai_model_spec": "1.0.0",
      "modelspec.architecture": "stable-diffusion-\(version)",
      "modelspec.prediction_type": scheduler.predictionType == .v ? "v" : "epsilon",
      "modelspec.resolution": "\(side)x\(side)",
    ]
  }

  /// Refuses settings that a reader of the single file would not find out.
  private func compare<Config: ModelConfig>(
    _ given: Config, _ deduced: Config?, _ part: String, ignoring: Set<String>
  ) throws(CheckpointError) {
    guard let deduced else { return }
    let found = try ConfigFile.settings(of: given)
    for (key, value) in try ConfigFile.settings(of: deduced).sorted(by: { $0.key < $1.key })
    where !ignoring.contains(key) && found[key]?.description != value.description {
      if isSameList(found[key], value) { continue }
      throw .unsupported(
        file: "\(path)/\(part)/config.json", key: key, found: found[key]?.description ?? "nothing",
        expected: "\(value), as readers of a single file take it for")
    }
  }

  /// Whether one is a number and the other a list of nothing but that number.
  private func isSameList(_ a: ConfigValue?, _ b: ConfigValue) -> Bool {
    switch (a, b) {
    case (.array(let values)?, .number), (.array(let values)?, .string):
      values.allSatisfy { $0 == b }
    case (let one?, .array(let values)): values.allSatisfy { $0 == one }
    default: false
    }
  }
}

/// Whether a file's name is that of weights or their index.
private func isWeights(_ name: String) -> Bool {
  let endings = [".safetensors", ".bin", ".ckpt", ".msgpack", ".onnx"]
  return endings.contains(where: name.hasSuffix) || name.contains(".index.")
}

/// Copies everything but the weights of the three models.
private func copyRest(of folder: String, to target: String) throws(CheckpointError) {
  try FolderCopy(of: folder, to: target).run { path in
    let parts = path.split(separator: "/").map(String.init)
    let isInPart = parts.count == 2 && ["unet", "vae", "text_encoder"].contains(parts[0])
    return !isInPart || !isWeights(parts[1])
  }
}
