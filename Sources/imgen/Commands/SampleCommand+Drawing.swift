import ImageIO
import Pipelines

extension SampleCommand {
  /// The pictures of a request, with previews on the way.
  func draw(
    _ request: GenerationRequest, _ pipeline: TextToImagePipeline, _ bar: DrawingBar,
    _ previews: inout Previews
  ) throws -> [Image] {
    let steps = try pipeline.stepCounts(request).reduce(0, +)
    var done = 0
    lazy var decoding = ProgressBar("Decoding", isVisible: console.isTalkative)
    return try pipeline.generate(
      request,
      onStep: { step, pass in
        bar.advance(pass: pass, pictures: request.seeds.count)
        done += 1
        if done < steps { previews.show(step, number: done) }
      },
      onDecoding: { decoding.update(max(1, Int($0 * 100)), of: 100) })
  }
}

/// The progress of all pictures of a command.
///
/// A step of a second pass counts for as many as its picture is larger.
final class DrawingBar {
  private var bar: ProgressBar
  private let weights: [Int]
  private let total: Int
  private var done = 0

  /// - Parameters:
  ///   - steps: of each pass of a picture.
  ///   - hires: the second pass, if there is one.
  ///   - pictures: of the whole command.
  ///   - console: where it is drawn.
  init(_ steps: [Int], _ hires: HiresPass?, pictures: Int, _ console: ConsoleOptions) {
    bar = ProgressBar("Drawing", isVisible: console.isTalkative)
    weights = [1, hires.map { Int(($0.scale * $0.scale).rounded()) } ?? 1]
    total = zip(steps, weights).reduce(0) { $0 + $1.0 * $1.1 } * pictures
  }

  /// Notes that a step of `pass` was done for so many pictures.
  func advance(pass: Int, pictures: Int) {
    done += weights[pass] * pictures
    bar.update(done, of: total)
  }

  /// Ends the line.
  func finish() { bar.finish() }
}
