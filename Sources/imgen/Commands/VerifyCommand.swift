import ArgumentParser
import ComputeCore
import Diffusion
import Foundation
import ImageIO
import Pipelines
import Plots

/// Draws pictures again from what their files say, and compares.
struct VerifyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Draw pictures again from what their files say, and compare.",
    discussion: """
      Example: imgen verify apple.png
      Reads what imgen, AUTOMATIC1111's web UI and ComfyUI write into PNG files. The files that a \
      picture names are looked for beside it and in the working folder, models in checkpoints/ too.
      Status: 0 when all pictures are identical or close, 1 when one is different, 2 when one \
      cannot be drawn again.
      """)

  @Argument(help: "PNG files.")
  var pictures: [String]

  @Option(help: "Grey levels, of 255, by which a picture may differ to be called close.")
  var tolerance = 2

  @Option(help: "PNG file that shows the picture, the redrawn one and where they differ.")
  var out: String?

  @OptionGroup var initial: InitialPictureOptions
  @OptionGroup var models: ModelOptions
  @OptionGroup var compute: ComputeOptions
  @OptionGroup var console: ConsoleOptions

  func validate() throws {
    try OptionChecks.require("tolerance", tolerance, in: 0...255)
    guard let out else { return }
    guard pictures.count == 1 else {
      throw ValidationError("--out shows one picture, but \(pictures.count) are given.")
    }
    try OutputLocation.check(picture: out)
  }

  func run() throws {
    var pipelines = LoadedPipelines(console)
    var results: [Verification] = []
    for path in pictures {
      let result: Verification
      do {
        result = try verify(path, &pipelines)
      } catch {
        let text = Imgen.message(for: error)
        let named = text.hasPrefix(path) ? text : "\(path): \(text)"
        result = Verification(path, error: Imgen.report(ValidationError(named)))
      }
      if result.verdict != .failed { result.lines.forEach(console.say) }
      results.append(result)
    }
    try console.report(VerifyReport(pictures: results))
    if results.contains(where: { $0.verdict == .failed }) { throw ExitCode(2) }
    if results.contains(where: { $0.verdict == .different }) { throw ExitCode(1) }
  }

  private func verify(
    _ path: String, _ pipelines: inout LoadedPipelines
  ) throws -> Verification {
    let file = try ImageFile(contentsOf: path)
    guard let record = try GenerationRecord(text: file.text) else {
      throw ValidationError(
        "it does not say how it was made; a sheet of pictures does not, nor do JPEG files and "
          + "pictures that another program has saved again")
    }
    var redrawing = Redrawing(record, of: path, models, initial, console)
    let model = try redrawing.modelPath()
    let options = try redrawing.loadingOptions(model)
    let drawn = try compute.run(defaultPrecision: recordedPrecision(record)) {
      let (pipeline, loras) = try pipelines.load(options)
      return try redrawing.draw(file.image, pipeline, loras)
    }
    let difference = PictureDifference(file.image, drawn)
    if let out { try sheet(file.image, drawn, difference).writePNG(to: out) }
    let reasons = difference.worst == 0 ? [] : self.reasons(&redrawing, model, difference)
    return Verification(
      path, difference, tolerance: tolerance, record.author, model: model, reasons: reasons)
  }

  private func recordedPrecision(_ record: GenerationRecord) throws -> MatmulPrecision {
    guard let name = record["Precision"] else { return .float32 }
    guard let precision = MatmulPrecision(rawValue: name) else {
      throw MetadataError.invalid(
        field: "Precision", found: name,
        expected: MatmulPrecision.allCases.map(\.rawValue).joined(separator: ", "))
    }
    return precision
  }

  /// Why a picture that is not identical may be so, the surest first.
  private func reasons(
    _ redrawing: inout Redrawing, _ model: String, _ difference: PictureDifference
  ) -> [String] {
    let record = redrawing.record
    let hash = record["Model hash"]
    if hash != nil { redrawing.compare(model, hash, try? ModelHash.of(model)) }
    var reasons = redrawing.doubts
    let drawnWith = record["Precision"] ?? "f32"
    if record.author == .imgen {
      if let used = compute.precision?.rawValue, used != drawnWith {
        reasons.append("it was drawn with --precision \(drawnWith), not \(used)")
      }
      if let version = record["Version"], version != Imgen.version {
        reasons.append("it was drawn by \(version), this is \(Imgen.version)")
      }
    } else {
      reasons.append("\(record.author.rawValue) usually computes in 16 bits on a GPU")
    }
    if difference.worst <= max(8, tolerance) {
      reasons.append("another CPU, whose instructions round in another order")
    }
    guard reasons.isEmpty else { return reasons }
    return ["the picture or what its file says was changed after it was drawn"]
  }

  /// The picture, the redrawn one and their difference, which is made visible.
  private func sheet(
    _ picture: Image, _ drawn: Image, _ difference: PictureDifference
  ) -> Image {
    let factor = difference.worst == 0 ? 1 : max(1, 255 / difference.worst)
    let scale = max(1, 192 / max(picture.width, picture.height))
    let images = [picture, drawn, picture.difference(from: drawn, times: factor)]
    return captionedSheet(
      images.map { $0.resized(to: $0.width * scale, $0.height * scale) },
      captions: ["the picture", "drawn again", "difference, times \(factor)"], columns: 3)
  }
}

/// The model in memory, with its LoRA files; only the last one is kept.
private struct LoadedPipelines {
  private let console: ConsoleOptions
  private var last: (key: [String?], pipeline: TextToImagePipeline, loras: AttachedLoRAs)?

  init(_ console: ConsoleOptions) { self.console = console }

  mutating func load(_ options: ModelOptions) throws -> (TextToImagePipeline, AttachedLoRAs) {
    let key = [options.model, options.vae, options.tokenizer, options.prediction?.rawValue]
    if let last, last.key == key { return (last.pipeline, last.loras) }
    last = nil
    let pipeline = try options.load()
    let loras = try AttachedLoRAs(options, to: pipeline, console)
    last = (key, pipeline, loras)
    return (pipeline, loras)
  }
}

/// `--json` of `imgen verify`.
private struct VerifyReport: Encodable {
  let pictures: [Verification]
}
