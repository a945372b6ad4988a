import ArgumentParser
import ComputeCore
import Foundation
import GAN
import ImageIO

/// Goes from picture to picture through the space of noise.
struct GANWalkCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "walk", abstract: "Show how a GAN's pictures turn into each other.",
    discussion: "Writes a sheet, a row per way, and an animation that comes back to its start.")

  @Argument(help: "Folder of a run or of its model.")
  var model: String

  @Option(help: "Ways that are gone at once, each a row of the sheet.")
  var rows = 10

  @Option(help: "Pictures from one point of rest to the next.")
  var frames = 12

  @Option(help: "Points of rest of each way.")
  var stops = 4

  @Option(help: "Seed of the noise.")
  var seed: UInt64 = 1

  @Option(help: "PNG file of the sheet; the animation goes beside it, as NAME-animated.png.")
  var out = "walk.png"

  @OptionGroup var drawing: GANDrawingOptions
  @OptionGroup var compute: ComputeOptions
  @OptionGroup var console: ConsoleOptions

  func validate() throws {
    try OptionChecks.require("rows", rows, in: 1...64)
    try OptionChecks.require("frames", frames, in: 2...240)
    try OptionChecks.require("stops", stops, in: 2...64)
    try GANPictures.check(count: rows * stops * frames, side: drawing.side)
    try OutputLocation.check(picture: out)
  }

  func run() throws {
    try compute.run(defaultPrecision: .float32) { try walk() }
  }

  private func walk() throws {
    let generator = try GANLocation.generator(model)
    let chosen = try generator.label(drawing.label)
    let classes = generator.config.classNames.count
    let labels = (0..<rows).map { Int32(chosen ?? (classes == 0 ? 0 : $0 % classes)) }
    let points = (0..<stops).map { stop in
      generator.latents(
        PictureOrder(
          seeds: (0..<rows).map { seed &+ UInt64($0 * stops + stop) }, labels: labels,
          truncation: drawing.truncation))
    }
    var moments: [[Image]] = []
    var bar = ProgressBar("Walking", isVisible: console.isTalkative)
    for moment in 0..<stops * frames {
      let (stop, step) = moment.quotientAndRemainder(dividingBy: frames)
      let z = sphericallyBetween(
        points[stop], points[(stop + 1) % stops], Float(step) / Float(frames))
      moments.append(
        GANPictures.images(generator.draw(z, labels: labels), generator.config, side: drawing.side))
      bar.update(moment + 1, of: stops * frames)
    }
    bar.finish()
    try write(moments)
  }

  private func write(_ moments: [[Image]]) throws {
    let shown = stride(from: 0, to: moments.count, by: max(1, moments.count / 16))
    let sheet = (0..<rows).flatMap { row in shown.map { moments[$0][row] } }
    try contactSheet(sheet, columns: Array(shown).count, padding: 2).writePNG(to: out)
    let stem = out.hasSuffix(".png") ? String(out.dropLast(4)) : out
    let animation = stem + "-animated.png"
    try AnimatedPNG.write(
      frames: moments.map { contactSheet($0, padding: 2) }, secondsPerFrame: 1 / 15,
      to: animation)
    console.say("\(out) and \(animation)")
    try console.report(GANWalkReport(sheet: out, animation: animation))
  }
}

/// Between two rows of noise along the sphere, where all lengths between occur in training.
///
/// Source: White 2016, "Sampling Generative Networks", arXiv:1609.04468, section 2.1 (slerp).
///
/// - Parameters:
///   - a: `[N, D]`.
///   - b: of the same shape.
///   - share: 0 gives `a`, 1 gives `b`.
/// - Returns: `[N, D]`.
func sphericallyBetween(_ a: Tensor, _ b: Tensor, _ share: Float) -> Tensor {
  func length(_ x: Tensor) -> Tensor { sqrt(square(x).sum(axes: [1], keepDims: true)) }
  let cosines = ((a * b).sum(axes: [1], keepDims: true) / (length(a) * length(b))).values
  func weights(_ share: Float) -> Tensor {
    Tensor(
      cosines.map { cosine in
        let angle = acos(Double(max(-1, min(1, cosine))))
        return angle < 1e-4 ? share : Float(sin(angle * Double(share)) / sin(angle))
      }, [cosines.count, 1])
  }
  return a * weights(1 - share) + b * weights(share)
}

/// `--json` of `imgen gan walk`.
private struct GANWalkReport: Encodable {
  let sheet: String
  let animation: String
}
