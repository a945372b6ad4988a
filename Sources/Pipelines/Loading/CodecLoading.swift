import Checkpoints
import ComputeCore
import Foundation
import Models

extension TextToImagePipeline {
  /// Loads a picture codec from a `vae/` folder or from a file with nothing but a VAE's weights, in
  /// diffusers' names (large or tiny) or the original ones; a whole checkpoint will do too.
  ///
  /// - Throws: `CheckpointError`, naming the file and what is wrong with it.
  package static func loadCodec(
    anywhere path: String
  ) throws(CheckpointError) -> any PictureCodec {
    var isFolder: ObjCBool = false
    _ = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
    guard isFolder.boolValue else { return try codec(of: CheckpointFile.open(path)) }
    do throws(PipelineError) {
      return try loadCodec(path)
    } catch {
      if case .checkpoint(let error) = error { throw error }
      throw .unreadable(file: path, reason: "\(error)")
    }
  }

  private static func codec(
    of source: any TensorSource
  ) throws(CheckpointError) -> any PictureCodec {
    func has(_ name: String) -> Bool { source.shape(of: name) != nil }
    if has("decoder.layers.0.weight") {
      let config = try AutoencoderTinyConfig(deducedFrom: source)
      return TinyAutoencoderCodec(
        try AutoencoderTiny.load(config, from: source, settingsFrom: source.path, isFrozen: true))
    }
    let part: CheckpointPart
    if has("decoder.mid_block.resnets.0.conv1.weight") {
      part = try CheckpointPart(of: source, .autoencoder)
    } else {
      part = try CheckpointPart(
        of: source,
        .singleFileAutoencoder(levels: SingleFileCheckpoint.autoencoderLevels(source.keys)))
    }
    return AutoencoderCodec(
      try AutoencoderKL.load(
        AutoencoderConfig(deducedFrom: part), from: part, settingsFrom: source.path,
        isFrozen: true))
  }
}
