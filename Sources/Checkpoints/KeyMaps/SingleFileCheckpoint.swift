/// A Stable Diffusion 1 or 2 checkpoint in one file, taken apart into models with diffusers' names.
public struct SingleFileCheckpoint: Sendable {
  /// Which text encoder a file holds.
  public enum TextEncoderKind: Sendable {
    /// OpenAI's CLIP in transformers' names, as in Stable Diffusion 1.
    case clip
    /// OpenCLIP, as in Stable Diffusion 2.
    case openClip
  }

  /// Which of a file's weights of the U-Net are used.
  public enum Weights: Sendable {
    /// Those that training ended with.
    case trained
    /// Their running average, `model_ema.…`, which only files that can be trained on have.
    case average
  }

  /// The open file.
  public let source: any TensorSource
  /// Residual blocks of each level of the U-Net on the way down.
  public let layersPerBlock: Int
  /// Levels of the VAE.
  public let autoencoderLevels: Int
  /// Which text encoder it holds, `nil` for none.
  public let textEncoder: TextEncoderKind?

  /// Whether a file has the names of such a checkpoint.
  public static func isOne(_ source: any TensorSource) -> Bool {
    source.shape(of: SingleFilePrefix.unet + "input_blocks.0.0.weight") != nil
  }

  /// Takes a file apart.
  ///
  /// - Throws: `CheckpointError.malformed` for files of other kinds, saying which where known.
  public init(_ source: any TensorSource) throws(CheckpointError) {
    let keys = source.keys
    if let other = SingleFileCheckpoint.otherKind(keys) {
      throw .malformed(
        file: source.path, found: other, expected: "Stable Diffusion 1 or 2 in a single file")
    }
    self.source = source
    layersPerBlock = SingleFileCheckpoint.layersPerBlock(keys)
    autoencoderLevels = SingleFileCheckpoint.autoencoderLevels(keys)
    if keys.contains(where: { $0.hasPrefix(SingleFilePrefix.openClip) }) {
      textEncoder = .openClip
    } else {
      textEncoder = keys.contains { $0.hasPrefix(SingleFilePrefix.clipText) } ? .clip : nil
    }
  }

  /// What a file is when it is no Stable Diffusion 1 or 2.
  private static func otherKind(_ keys: [String]) -> String? {
    func has(_ prefix: String) -> Bool { keys.contains { $0.hasPrefix(prefix) } }
    if has("conditioner.embedders.") { return "Stable Diffusion XL" }
    if has("model.diffusion_model.joint_blocks.") { return "Stable Diffusion 3" }
    if has("double_blocks.") || has("model.diffusion_model.double_blocks.") { return "Flux" }
    if has("control_model.") { return "a ControlNet" }
    if has("lora_") || has("unet.") { return "adapters such as LoRA, which go with a model" }
    if keys.contains(SingleFilePrefix.unet + "input_blocks.0.0.weight") { return nil }
    return has(SingleFilePrefix.unet)
      ? "a denoiser of another kind" : "tensors without the prefix \(SingleFilePrefix.unet)"
  }

  /// The U-Net.
  ///
  /// - Throws: `CheckpointError.noSuchKey` when averages are wanted and are not there.
  public func unet(_ weights: Weights = .trained) throws(CheckpointError) -> CheckpointPart {
    let keyMap = KeyMap.singleFileUNet(layersPerBlock: layersPerBlock)
    guard weights == .average else { return try CheckpointPart(of: source, keyMap) }
    var part = CheckpointPart(of: source)
    for key in source.keys {
      guard let name = keyMap(key) else { continue }
      // Averages are kept under names without dots.
      let bare = key.dropFirst("model.".count).filter { $0 != "." }
      try part.add(name, "model_ema." + bare)
    }
    return part
  }

  /// The VAE, whose attention has linear layers where the file has 1x1 convolutions.
  public func autoencoder() throws(CheckpointError) -> CheckpointPart {
    let keyMap = KeyMap.singleFileAutoencoder(levels: autoencoderLevels)
    var part = CheckpointPart(of: source)
    for key in source.keys {
      guard let name = keyMap(key) else { continue }
      let shape = source.shape(of: key) ?? []
      let isProjection = name.contains(".attentions.") && shape.suffix(2) == [1, 1]
      try part.add(name, key, shape: isProjection ? Array(shape.dropLast(2)) : nil)
    }
    return part
  }

  /// The text encoder, in transformers' names; empty when the file has none.
  public func textEncoderPart() throws(CheckpointError) -> CheckpointPart {
    switch textEncoder {
    case .openClip: try OpenCLIPKeys.part(of: source)
    case .clip: try CheckpointPart(of: source, .singleFileClipText)
    case nil: CheckpointPart(of: source)
    }
  }

  /// What diffusers' form has no place for: the text encoder's last layer and its projection.
  ///
  /// - Returns: names in the file, sorted; averages, schedules and training state are not among
  ///   them, as they can be made again or are of no use.
  public func leftOutOfDiffusers() -> [String] {
    textEncoder == .openClip ? OpenCLIPKeys.unused(source.keys) : []
  }

  private static func layersPerBlock(_ keys: [String]) -> Int {
    let prefix = SingleFilePrefix.unet + "input_blocks."
    let blocks = keys.compactMap { key -> (number: Int, isDown: Bool)? in
      guard key.hasPrefix(prefix) else { return nil }
      let parts = key.dropFirst(prefix.count).split(separator: ".")
      guard parts.count > 2, let number = Int(parts[0]), (1..<1000).contains(number) else {
        return nil
      }
      return (number, parts[2] == "op")
    }
    // The first level ends with the first step down; without one, all blocks are of one level.
    let firstDown = blocks.filter(\.isDown).map(\.number).min()
    return max(1, firstDown.map { $0 - 1 } ?? blocks.map(\.number).max() ?? 2)
  }

  /// Levels of a VAE under its names with or without a prefix.
  package static func autoencoderLevels(_ keys: [String]) -> Int {
    let levels = keys.compactMap { key -> Int? in
      let bare =
        key.hasPrefix(SingleFilePrefix.autoencoder)
        ? key.dropFirst(SingleFilePrefix.autoencoder.count) : key[...]
      guard bare.hasPrefix("encoder.down.") else { return nil }
      return Int(bare.dropFirst("encoder.down.".count).prefix { $0 != "." })
    }
    return (levels.filter((0..<16).contains).max() ?? 3) + 1
  }
}
