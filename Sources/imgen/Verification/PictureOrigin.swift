import ComputeCore
import Diffusion
import Foundation
import Pipelines

/// The files and the precision that a picture is drawn with, as its text names them, so that it can
/// be drawn again: files by their names without folders, and by hashes.
struct PictureOrigin {
  /// Everything but the model and LoRA files.
  let fields: [GenerationParameters.Field]
  private let hash: PendingModelHash?

  /// Looks at the files; the hash of the model is computed while other work is done.
  init(_ models: ModelOptions, _ initial: InitialPictureOptions) throws {
    hash =
      ModelLocation.isBundled(models.model)
      ? nil : PendingModelHash(try ModelLocation.path(models.model))
    var fields: [GenerationParameters.Field] = []
    func add(_ name: String, _ path: String?) {
      guard let path else { return }
      fields.append(.init(name, (path as NSString).lastPathComponent))
      // A codec without weights has none.
      if let hash = try? ModelHash.of(path) { fields.append(.init(name + " hash", hash)) }
    }
    add("VAE", models.vae)
    if let tokenizer = models.tokenizer {
      fields.append(.init("Tokenizer", (tokenizer as NSString).lastPathComponent))
    }
    if let prediction = models.prediction {
      fields.append(.init("Prediction", prediction.rawValue))
    }
    add("Init picture", initial.picture)
    add("Mask", initial.mask)
    let precision = Compute.current.precision
    if precision != .float32 { fields.append(.init("Precision", precision.rawValue)) }
    self.fields = fields
  }

  /// The hash of the model; `nil` for the one that comes with the program, which its name and the
  /// version tell.
  func modelHash(_ console: ConsoleOptions) -> String? { hash?.value(console) }
}
