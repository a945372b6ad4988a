import Checkpoints
import Foundation
import Models

extension TextToImagePipeline {
  /// Writes a model folder: this pipeline's U-Net in half precision, the rest copied.
  ///
  /// The folder appears complete or not at all; an old one of that name is replaced.
  ///
  /// - Parameters:
  ///   - folder: the folder to make.
  ///   - source: the model folder whose other parts are used.
  /// - Throws: `PipelineError.checkpoint` naming what could not be read or written.
  public func save(folder: String, copyingFrom source: String) throws(PipelineError) {
    let files = FileManager.default
    let temporary = folder + ".partial"
    do {
      try? files.removeItem(atPath: temporary)
      try files.createDirectory(atPath: temporary, withIntermediateDirectories: true)
      for part in ["vae", "text_encoder", "tokenizer", "scheduler", "generation_config.json"]
      where files.fileExists(atPath: "\(source)/\(part)") {
        try files.copyItem(atPath: "\(source)/\(part)", toPath: "\(temporary)/\(part)")
      }
      try unet.save(folder: temporary + "/unet", as: .f16)
      if files.fileExists(atPath: folder) { try files.removeItem(atPath: folder) }
      try files.moveItem(atPath: temporary, toPath: folder)
    } catch let error as CheckpointError {
      throw .checkpoint(error)
    } catch {
      throw .checkpoint(.unwritable(file: folder, reason: error.localizedDescription))
    }
  }
}
