import Diffusion
import Foundation
import ImageIO
import Pipelines

/// Pictures of what is being drawn, in files beside the ones that will hold the results.
///
/// `apple.png` has `apple.preview.png`, which shows the estimate of the clean picture and is replaced
/// as a whole every few steps, so that a viewer that watches it never sees half a picture. It goes
/// when the picture is there, and stays when drawing is broken off.
struct Previews {
  private let interval: Int?
  private let paths: [String]
  private let pipeline: TextToImagePipeline
  private let console: ConsoleOptions
  private var hasFailed = false

  /// - Parameters:
  ///   - interval: steps from one to the next; `nil` for none at all.
  ///   - results: files of the pictures that are drawn at a time.
  ///   - pipeline: draws them.
  ///   - console: told when there can be no previews.
  init(
    every interval: Int?, of results: [String], _ pipeline: TextToImagePipeline,
    _ console: ConsoleOptions
  ) {
    self.interval = interval
    paths = results.map(Previews.path)
    (self.pipeline, self.console) = (pipeline, console)
  }

  /// `a/apple.png` → `a/apple.preview.png`.
  static func path(of result: String) -> String {
    (result as NSString).deletingPathExtension + ".preview.png"
  }

  /// Writes the previews when they are due after a step.
  ///
  /// A preview that cannot be made or written is warned about once; the picture is drawn anyway.
  mutating func show(_ step: Step, number: Int) {
    guard let interval, number % interval == 0, !hasFailed else { return }
    guard let pictures = pipeline.previews(step) else {
      hasFailed = true
      return console.warn("there are no previews for latents of this model")
    }
    for (path, picture) in zip(paths, pictures) where !hasFailed {
      do {
        try picture.writePNG(to: path, level: 1)
      } catch {
        hasFailed = true
        console.warn("no previews: \(error)")
      }
    }
  }

  /// Takes away the preview of a picture that has been written.
  func remove(_ index: Int) {
    if interval != nil { unlink(paths[index]) }
  }
}
