import Checkpoints
import Diffusion
import Models

/// What a file of weights is, going by names and shapes; no numbers are read.
public struct CheckpointDescription {
  /// Endings of the names of such files.
  public static let endings = [".safetensors", ".ckpt", ".pt", ".pth", ".bin"]

  /// Things worth knowing, in order.
  public private(set) var facts: [(name: String, value: String)]

  /// Describes an open file.
  ///
  /// - Throws: `CheckpointError` for a checkpoint that lacks tensors that tell its sizes.
  public init(_ source: any TensorSource) throws(CheckpointError) {
    let types = Set(source.keys.compactMap { source.dtype(of: $0)?.rawValue }).sorted()
    facts = [("kind", "weights"), ("file", source is TorchCheckpoint ? "torch" : "safetensors")]
    if SingleFileCheckpoint.isOne(source), let model = try? SingleFileModel(source) {
      facts[0].value = CheckpointDescription.kind(of: model)
      facts += CheckpointDescription.parts(of: model)
    } else if let kind = CheckpointDescription.kind(of: source) {
      facts[0].value = kind
    }
    facts += [
      ("tensors", "\(source.keys.count)"), ("parameters", "\(parameterCount(source))"),
      ("stored as", types.joined(separator: ", ")),
    ]
    for (name, value) in source.metadata.sorted(by: { $0.key < $1.key }) {
      facts.append((name, value))
    }
  }

  private static func kind(of model: SingleFileModel) -> String {
    let version = model.unetConfig.useLinearProjection ? 2 : 1
    let purpose = model.unetConfig.isForInpainting ? " for inpainting" : ""
    return "Stable Diffusion \(version)\(purpose) in a single file"
  }

  private static func parts(of model: SingleFileModel) -> [(name: String, value: String)] {
    func part(_ source: CheckpointPart) -> String {
      source.keys.isEmpty ? "none" : "\(parameterCount(source)) parameters"
    }
    let metadata = model.checkpoint.source.metadata["modelspec.prediction_type"]
    let isCertain = model.checkpoint.textEncoder != .openClip || model.unetConfig.isForInpainting
    let hasAverages = model.checkpoint.source.keys.contains { $0.hasPrefix("model_ema.diffusion") }
    let kind = model.checkpoint.textEncoder == .openClip ? "OpenCLIP" : "CLIP"
    return [
      ("U-Net", part(model.unet)), ("VAE", part(model.autoencoder)),
      (
        "text encoder",
        model.textEncoderConfig.map {
          "\(kind), \($0.numHiddenLayers) layers in use, \(part(model.textEncoder))"
        } ?? "none"
      ),
      ("averaged weights", hasAverages ? "yes" : "no"),
      ("prediction", metadata ?? (isCertain ? "epsilon" : "not said, found out when it is loaded")),
    ]
  }

  /// Parts of models and other things that are not a whole model.
  private static func kind(of source: any TensorSource) -> String? {
    func has(_ key: String) -> Bool { source.shape(of: key) != nil }
    if has("decoder.layers.0.weight") { return "tiny autoencoder (AutoencoderTiny)" }
    if has("decoder.conv_in.weight") { return "autoencoder (VAE)" }
    if has("first_stage_model.decoder.conv_in.weight") { return "autoencoder (VAE)" }
    if has("conv_in.weight"), has("time_embedding.linear_1.weight") {
      return "U-Net in diffusers' names"
    }
    let embeddings = "embeddings.token_embedding.weight"
    if has("text_model." + embeddings) || has(embeddings) { return "CLIP text encoder" }
    if has("emb_params") || has("string_to_param") { return "textual inversion" }
    return nil
  }
}

/// Elements of all floating-point tensors.
private func parameterCount(_ source: any TensorSource) -> Int {
  source.keys.filter { source.dtype(of: $0)?.isFloatingPoint == true }
    .reduce(0) { $0 + (source.shape(of: $1) ?? []).reduce(1, *) }
}
