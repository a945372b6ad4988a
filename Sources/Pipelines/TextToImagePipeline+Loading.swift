import Checkpoints
import ComputeCore
import Diffusion
import Foundation
import Layers
import Models
import Tokenizers

extension TextToImagePipeline {
  /// Loads a model folder as diffusers saves it, or one of ours.
  ///
  /// `vae/config.json` may name an `AutoencoderKL`, an `AutoencoderTiny` or a `SpaceToDepth` (with
  /// `block_size`), the text encoder a `CLIPTextModel` or a `BertModel`. Everything is frozen.
  ///
  /// - Throws: `PipelineError`, naming the file and what is wrong with it.
  public static func load(
    folder: String, _ options: LoadingOptions = LoadingOptions()
  ) throws(PipelineError) -> TextToImagePipeline {
    try checkParts(of: folder)
    let unet = try loadFrozen(UNet2DConditionModel.self, folder + "/unet")
    let codec: any PictureCodec
    if let path = options.autoencoder {
      do throws(CheckpointError) {
        codec = try loadCodec(anywhere: path)
      } catch {
        throw .checkpoint(error)
      }
    } else {
      codec = try loadCodec(folder + "/vae")
    }
    let conditioner = try loadConditioner(folder, tokenizer: options.tokenizer)
    return try assembled(
      from: folder, unet: unet, codec: codec.with(tiles: options.tiles), conditioner: conditioner,
      prediction: options.prediction)
  }

  /// A pipeline of parts at hand, with scheduler and defaults of a model folder.
  ///
  /// - Throws: `PipelineError.checkpoint` when the parts do not fit, or a file is not as expected.
  package static func assembled(
    from folder: String, unet: UNet2DConditionModel, codec: any PictureCodec,
    conditioner: any TextConditioner, prediction: PredictionType? = nil
  ) throws(PipelineError) -> TextToImagePipeline {
    do throws(CheckpointError) {
      try checkFit(
        unet.config, codec, conditioner, settingsFrom: folder + "/unet/config.json")
    } catch {
      throw .checkpoint(error)
    }
    var scheduler = try loadScheduler(folder)
    if let prediction { scheduler.predictionType = prediction }
    return TextToImagePipeline(
      unet: unet, codec: codec, conditioner: conditioner, scheduler: scheduler,
      defaults: try loadDefaults(folder, codec, sampleSize: unet.config.sampleSize?.largest),
      name: URL(fileURLWithPath: folder).standardizedFileURL.lastPathComponent)
  }

  /// Loads the picture codec of a model's `vae/` folder.
  package static func loadCodec(_ folder: String) throws(PipelineError) -> any PictureCodec {
    let path = folder + "/config.json"
    let kind = try loadJSON(CodecKind.self, path)
    switch kind._className {
    case "AutoencoderKL":
      return AutoencoderCodec(try loadFrozen(AutoencoderKL.self, folder))
    case "AutoencoderTiny":
      return TinyAutoencoderCodec(try loadFrozen(AutoencoderTiny.self, folder))
    case "SpaceToDepth":
      guard let block = kind.blockSize, (1...64).contains(block) else {
        throw unsupported(path, "block_size", kind.blockSize.map(String.init), "1 to 64")
      }
      return SpaceToDepthCodec(blockSize: block)
    default:
      throw unsupported(
        path, "_class_name", kind._className, "AutoencoderKL, AutoencoderTiny or SpaceToDepth")
    }
  }

  /// Loads the text encoder and the tokenizer of a model folder.
  ///
  /// - Parameters:
  ///   - folder: the model's.
  ///   - tokenizer: a folder in place of the model's own.
  /// - Returns: both together.
  /// - Throws: `PipelineError`, naming the file and what is wrong with it.
  package static func loadConditioner(
    _ folder: String, tokenizer: String? = nil
  ) throws(PipelineError) -> any TextConditioner {
    let encoder = folder + "/text_encoder"
    let tokenizer = URL(fileURLWithPath: tokenizer ?? folder + "/tokenizer")
    let kind = try loadJSON(EncoderKind.self, encoder + "/config.json")
    switch kind.modelType {
    case "clip_text_model":
      let model = try loadFrozen(CLIPTextModel.self, encoder)
      let words = try tokenizerPart { () throws(TokenizerError) in
        try CLIPTokenizer.load(folder: tokenizer)
      }
      do throws(CheckpointError) {
        return try conditioner(model, words, settingsFrom: encoder + "/config.json")
      } catch {
        throw .checkpoint(error)
      }
    case "bert":
      return BERTConditioner(
        try loadFrozen(BertModel.self, encoder),
        try tokenizerPart { () throws(TokenizerError) in
          try WordPieceTokenizer.load(folder: tokenizer)
        }
      )
    default:
      throw unsupported(
        encoder + "/config.json", "model_type", kind.modelType, "clip_text_model or bert")
    }
  }

  /// Refuses a folder that is not there or lacks a part of a model.
  package static func checkParts(of folder: String) throws(PipelineError) {
    var isFolder: ObjCBool = false
    let exists = FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder)
    guard exists, isFolder.boolValue else {
      throw .notAModel(
        folder: folder, reason: exists ? "it is a file" : "there is no such folder")
    }
    for part in ["unet", "vae", "text_encoder", "tokenizer", "scheduler"]
    where !FileManager.default.fileExists(atPath: "\(folder)/\(part)") {
      throw .notAModel(folder: folder, reason: "it has no \(part)/")
    }
  }

  static func loadScheduler(_ folder: String) throws(PipelineError) -> SchedulerConfig {
    try loadJSON(SchedulerConfig.self, folder + "/scheduler/scheduler_config.json")
  }

  static func loadDefaults(
    _ folder: String, _ codec: any PictureCodec, sampleSize: Int?
  ) throws(PipelineError) -> GenerationDefaults {
    let path = folder + "/generation_config.json"
    if FileManager.default.fileExists(atPath: path) {
      return try loadJSON(GenerationDefaults.self, path)
    }
    return .usual(name: folder, side: sampleSize.map { min(1 << 16, $0) * codec.pixelsPerLatent })
  }

  /// Refuses parts that do not go together.
  ///
  /// A denoiser for inpainting takes a mask and the latents of a masked picture beside the latents.
  static func checkFit(
    _ config: UNetConfig, _ codec: any PictureCodec, _ conditioner: any TextConditioner,
    settingsFrom path: String
  ) throws(CheckpointError) {
    let latents = codec.latentChannels
    let inputs = config.isForInpainting ? 2 * latents + 1 : latents
    for (key, found, expected, part) in [
      ("in_channels", config.inChannels, inputs, "vae/"),
      ("out_channels", config.outChannels, latents, "vae/"),
      ("cross_attention_dim", config.crossAttentionDim, conditioner.channels, "text_encoder/"),
    ] where found != expected {
      throw .unsupported(
        file: path, key: key, found: "\(found)", expected: "\(expected), as \(part) makes them")
    }
  }
}

/// What kind of codec a `vae/` folder holds.
private struct CodecKind: Decodable {
  let _className: String?
  let blockSize: Int?
}

/// What kind of text encoder a folder holds.
private struct EncoderKind: Decodable {
  let modelType: String?
}

private func loadFrozen<M: ConfiguredModule>(_ type: M.Type, _ folder: String)
  throws(PipelineError) -> M
{
  do throws(CheckpointError) {
    return try M.load(folder: folder, isFrozen: true)
  } catch {
    throw .checkpoint(error)
  }
}

private func tokenizerPart<T>(_ load: () throws(TokenizerError) -> T) throws(PipelineError) -> T {
  do throws(TokenizerError) { return try load() } catch { throw .tokenizer(error) }
}

private func loadJSON<T: Decodable>(_ type: T.Type, _ path: String) throws(PipelineError) -> T {
  do {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    // Scheduler configs that Python has written can have -Infinity in them.
    decoder.allowsJSON5 = true
    return try decoder.decode(T.self, from: Data(contentsOf: URL(fileURLWithPath: path)))
  } catch let error as DecodingError {
    throw .checkpoint(
      .malformed(file: path, found: error.words, expected: "a JSON object of settings"))
  } catch {
    throw .checkpoint(.unreadable(file: path, reason: error.localizedDescription))
  }
}

private func unsupported(_ file: String, _ key: String, _ found: String?, _ expected: String)
  -> PipelineError
{
  .checkpoint(
    .unsupported(file: file, key: key, found: found ?? "nothing", expected: expected))
}
