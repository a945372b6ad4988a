/// Puts the models of a folder together under the names of a single file.
package struct SingleFileAssembly {
  /// The U-Net in diffusers' names.
  package var unet: any TensorSource
  /// The VAE in diffusers' names.
  package var autoencoder: any TensorSource
  /// The text encoder in transformers' names.
  package var textEncoder: any TensorSource
  /// The names that the text encoder gets.
  package var kind: SingleFileCheckpoint.TextEncoderKind
  /// Residual blocks of each level of the U-Net on the way down.
  package var layersPerBlock: Int
  /// Levels of the VAE.
  package var autoencoderLevels: Int

  /// Parts to put together.
  package init(
    unet: any TensorSource, autoencoder: any TensorSource, textEncoder: any TensorSource,
    kind: SingleFileCheckpoint.TextEncoderKind, layersPerBlock: Int, autoencoderLevels: Int
  ) {
    (self.unet, self.autoencoder, self.textEncoder) = (unet, autoencoder, textEncoder)
    (self.kind, self.layersPerBlock) = (kind, layersPerBlock)
    self.autoencoderLevels = autoencoderLevels
  }

  /// All tensors under their new names.
  ///
  /// - Parameter path: where they come from, for messages.
  /// - Returns: the tensors of all three.
  /// - Throws: `CheckpointError.malformed` for a tensor that a single file has no name for.
  package func tensors(path: String) throws(CheckpointError) -> any TensorSource {
    let levels = Set(
      unet.keys.compactMap { key -> Int? in
        let parts = key.split(separator: ".")
        guard parts.count > 2, parts[0] == "up_blocks", parts[2] == "attentions" else { return nil }
        return Int(parts[1])
      })
    var denoiser = CheckpointPart(of: unet)
    for key in unet.keys {
      guard
        let name = SingleFileNames.unet(
          key, layersPerBlock: layersPerBlock, hasAttention: levels.contains)
      else { throw .unsupportedName(key, path) }
      try denoiser.add(name, key)
    }
    return try ShardedCheckpoint(
      path: path, joining: [denoiser, autoencoderPart(path), textEncoderPart()])
  }

  private func autoencoderPart(_ path: String) throws(CheckpointError) -> CheckpointPart {
    var part = CheckpointPart(of: autoencoder)
    for key in autoencoder.keys {
      guard let name = SingleFileNames.autoencoder(key, levels: autoencoderLevels) else {
        throw .unsupportedName(key, path)
      }
      // Linear layers of the attention are 1x1 convolutions there.
      let shape = autoencoder.shape(of: key) ?? []
      let isProjection = name.contains(".attn_1.") && shape.count == 2
      try part.add(name, key, shape: isProjection ? shape + [1, 1] : nil)
    }
    return part
  }

  private func textEncoderPart() throws(CheckpointError) -> CheckpointPart {
    var part = CheckpointPart(of: textEncoder)
    switch kind {
    case .openClip: try OpenCLIPKeys.add(textEncoder, to: &part)
    case .clip:
      for key in textEncoder.keys { try part.add(SingleFilePrefix.clipText + key, key) }
    }
    return part
  }
}
