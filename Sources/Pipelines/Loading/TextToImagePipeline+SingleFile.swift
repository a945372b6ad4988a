import Checkpoints
import Diffusion
import Foundation
import Models
import Tokenizers

extension TextToImagePipeline {
  /// Loads a model from a folder as diffusers saves it or from a single file with the original
  /// names of Stable Diffusion 1 or 2, of safetensors or of torch.
  ///
  /// Everything is frozen; weights are read from the file when they are used.
  ///
  /// - Throws: `PipelineError`, naming the file and what is wrong with it.
  public static func load(
    _ path: String, _ options: LoadingOptions = LoadingOptions()
  ) throws(PipelineError) -> TextToImagePipeline {
    var isFolder: ObjCBool = false
    let exists = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
    if exists, !isFolder.boolValue { return try load(file: path, options) }
    return try load(folder: path, options)
  }

  /// Loads a single file.
  private static func load(
    file path: String, _ options: LoadingOptions
  ) throws(PipelineError) -> TextToImagePipeline {
    do throws(CheckpointError) {
      let model = try SingleFileModel(CheckpointFile.open(path), weights: options.weights)
      let prediction = try model.prediction(options.prediction)
      let unet = try UNet2DConditionModel.load(
        model.unetConfig, from: model.unet, settingsFrom: path, isFrozen: true)
      let conditioner = try loadConditioner(of: model, options)
      let codec = try loadCodec(of: model, options).with(tiles: options.tiles)
      try checkFit(unet.config, codec, conditioner, settingsFrom: path)
      return TextToImagePipeline(
        unet: unet, codec: codec, conditioner: conditioner, scheduler: model.scheduler(prediction),
        defaults: .usual(
          name: path, side: model.sampleSize(prediction) * codec.pixelsPerLatent),
        name: URL(fileURLWithPath: path).deletingPathExtension().lastPathComponent)
    } catch {
      throw .checkpoint(error)
    }
  }

  private static func loadCodec(
    of model: SingleFileModel, _ options: LoadingOptions
  ) throws(CheckpointError) -> any PictureCodec {
    if let path = options.autoencoder { return try loadCodec(anywhere: path) }
    guard let config = model.autoencoderConfig else {
      throw .noSuchKey(file: model.path, key: "first_stage_model.decoder.conv_in.weight")
    }
    return AutoencoderCodec(
      try AutoencoderKL.load(
        config, from: model.autoencoder, settingsFrom: model.path, isFrozen: true))
  }

  private static func loadConditioner(
    of model: SingleFileModel, _ options: LoadingOptions
  ) throws(CheckpointError) -> any TextConditioner {
    guard let config = model.textEncoderConfig else {
      throw .noSuchKey(
        file: model.path,
        key: "cond_stage_model.transformer.text_model.embeddings.token_embedding.weight")
    }
    let encoder = try CLIPTextModel.load(
      config, from: model.textEncoder, settingsFrom: model.path, isFrozen: true)
    let tokenizer = try SingleFileTokenizer(for: model, given: options.tokenizer).load()
    return try conditioner(encoder, tokenizer, settingsFrom: model.path)
  }

  /// A conditioner of a text encoder and a tokenizer that go together.
  ///
  /// - Throws: `CheckpointError.unsupported` when the tokenizer has tokens or lengths that the
  ///   encoder does not know.
  static func conditioner(
    _ encoder: CLIPTextModel, _ tokenizer: CLIPTokenizer, settingsFrom path: String
  ) throws(CheckpointError) -> CLIPConditioner {
    for (key, found, needed) in [
      ("vocab_size", encoder.config.vocabSize, tokenizer.vocabularySize),
      ("max_position_embeddings", encoder.config.maxPositionEmbeddings, tokenizer.maxLength),
    ] where found < needed {
      throw .unsupported(
        file: path, key: key, found: "\(found)",
        expected: "\(needed) or more, as the tokenizer needs (--tokenizer names another)")
    }
    return CLIPConditioner(encoder, tokenizer)
  }
}

/// Where the tokenizer of a single file comes from.
package struct SingleFileTokenizer {
  /// A folder, `nil` for the vocabulary that comes with this program.
  package let folder: String?
  /// The token that texts are filled up with.
  package let padToken: String

  /// The folder that is given, or `tokenizer/` beside the file, or none.
  package init(for model: SingleFileModel, given: String?) {
    let beside = URL(fileURLWithPath: model.path).deletingLastPathComponent()
      .appendingPathComponent("tokenizer").path
    folder = given ?? (FileManager.default.fileExists(atPath: beside) ? beside : nil)
    padToken = model.checkpoint.textEncoder == .openClip ? "!" : CLIPTokenizer.endToken
  }

  func load() throws(CheckpointError) -> CLIPTokenizer {
    do throws(TokenizerError) {
      guard let folder else { return try CLIPTokenizer.bundled(padToken: padToken) }
      return try CLIPTokenizer.load(folder: URL(fileURLWithPath: folder))
    } catch {
      throw .unreadable(file: folder ?? "the bundled tokenizer", reason: "\(error)")
    }
  }
}
