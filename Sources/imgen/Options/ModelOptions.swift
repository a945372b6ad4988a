import ArgumentParser
import Diffusion
import Pipelines

extension TileUse: ExpressibleByArgument {}

/// Which model draws, and what is changed about it.
struct ModelOptions: ParsableArguments {
  @Option(help: "Model folder, the name of one in checkpoints/, or a single weight file.")
  var model: String?

  @Option(help: "Tokenizer folder in place of the model's own.")
  var tokenizer: String?

  @Option(help: "VAE in place of the model's own: a folder or a file, large or tiny.")
  var vae: String?

  @Option(
    help: """
      Whether a large VAE works tile by tile, in less memory: on, off or auto, which is on for \
      pictures that would take more than 2 GiB in one piece. There are no seams.
      """)
  var vaeTiles = TileUse.auto

  @Option(help: "epsilon or v_prediction, in place of what the model's files say.")
  var prediction: PredictionType?

  @Option(
    help: "LoRA file, with its weight after a colon: style.safetensors:0.8. May be repeated.",
    transform: LoRAArgument.init(parsing:))
  var lora: [LoRAArgument] = []

  @Option(help: "Folder in which <lora:name:0.8> in a prompt is looked for. May be repeated.")
  var loraFolder: [String] = []

  @Flag(help: "Use LoRA files even if they have tensors for layers that the model does not have.")
  var allowUnmatched = false

  /// The model, without LoRA files.
  func load() throws -> TextToImagePipeline {
    var options = LoadingOptions()
    (options.tokenizer, options.autoencoder) = (tokenizer, vae)
    (options.prediction, options.tiles) = (prediction, vaeTiles)
    return try TextToImagePipeline.load(ModelLocation.path(model), options)
  }
}
