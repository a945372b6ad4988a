import Foundation
import ImageIO
import Pipelines

/// What became of one picture that was to be verified; `--json` prints it.
struct Verification: Encodable {
  /// How alike a picture and the redrawn one are.
  enum Verdict: String, Encodable {
    /// Every pixel is equal.
    case identical
    /// No channel of a pixel differs by more than is allowed.
    case close
    case different
    /// It could not be drawn again.
    case failed
  }

  let file: String
  let verdict: Verdict
  /// What drew it.
  var author: GenerationRecord.Author?
  /// The model that it was drawn with again.
  var model: String?
  /// The largest difference, in grey levels.
  var worst: Int?
  /// The mean difference, in grey levels.
  var mean: Double?
  /// Share of the pixels that differ.
  var differingShare: Double?
  /// Peak signal-to-noise ratio in decibels; missing for equal pictures.
  var psnr: Double?
  /// Why it may not be identical.
  var reasons: [String] = []
  /// Why it could not be drawn again.
  var error: String?

  /// A comparison.
  init(
    _ file: String, _ difference: PictureDifference, tolerance: Int,
    _ author: GenerationRecord.Author, model: String, reasons: [String]
  ) {
    self.file = file
    verdict =
      difference.worst == 0 ? .identical : difference.worst <= tolerance ? .close : .different
    (self.author, self.model, self.reasons) = (author, model, reasons)
    (worst, mean) = (difference.worst, difference.mean)
    (differingShare, psnr) = (difference.differingShare, difference.peakSignalToNoise)
  }

  /// A failure.
  init(_ file: String, error: String) {
    (self.file, self.error, verdict) = (file, error, .failed)
  }

  /// For people.
  var lines: [String] {
    var line = "\(file): \(verdict.rawValue)"
    if let worst, let mean, let differingShare, let psnr {
      line += String(
        format: ", %.3g %% of the pixels differ, by at most %d grey levels, on average %.3g, "
          + "PSNR %.1f dB", 100 * differingShare, worst, mean, psnr)
    }
    return [line] + reasons.map { "  possible reason: \($0)" }
  }
}
