import Checkpoints
import Foundation

/// What tells models of one name apart: the first ten hex digits of a file's SHA-256, as
/// AUTOMATIC1111's web UI writes it as `Model hash`.
///
/// Of a folder it is the U-Net's weight file that counts; of shards all, one after the other.
/// Source: `modules/hashes.py` there.
public enum ModelHash {
  private static let digits = 10

  /// The hash of a model.
  ///
  /// Hashes of large files are kept, see `FileHashCache`, so that only the first look at a file
  /// takes time.
  ///
  /// - Parameters:
  ///   - path: a weight file, a model folder or the folder of one part.
  ///   - progress: told bytes done and bytes in all, when the hash has to be computed.
  /// - Returns: ten lower-case hex digits.
  /// - Throws: `PipelineError.checkpoint` naming the file that cannot be read.
  public static func of(
    _ path: String, progress: (Int, Int) -> Void = { _, _ in }
  ) throws(PipelineError) -> String {
    do throws(CheckpointError) {
      return String(try FileHashCache.standard.sha256(of: files(path), progress).prefix(digits))
    } catch {
      throw .checkpoint(error)
    }
  }

  /// The files whose bytes count.
  private static func files(_ path: String) throws(CheckpointError) -> [String] {
    var isFolder: ObjCBool = false
    _ = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
    guard isFolder.boolValue else { return [path] }
    let unet = path + "/unet"
    let folder = FileManager.default.fileExists(atPath: unet) ? unet : path
    return try WeightFiles.paths("diffusion_pytorch_model", in: folder)
  }
}
