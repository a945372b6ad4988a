import ArgumentParser
import ComputeCore
import Diffusion
import Foundation
import ImageIO
import LoRA
import Pipelines

/// Draws a picture again from what its file says.
struct Redrawing {
  let record: GenerationRecord
  /// Where the picture lies.
  let path: String
  let models: ModelOptions
  let initial: InitialPictureOptions
  let console: ConsoleOptions
  /// Why what is drawn may be another picture, as far as that is known without looking at it.
  private(set) var doubts: [String] = []

  private var files: NamedFiles { NamedFiles(beside: path, loraFolders: models.loraFolder) }

  /// A redrawing that has found nothing yet.
  init(
    _ record: GenerationRecord, of path: String, _ models: ModelOptions,
    _ initial: InitialPictureOptions, _ console: ConsoleOptions
  ) {
    (self.record, self.path) = (record, path)
    (self.models, self.initial, self.console) = (models, initial, console)
    doubts = record.notReproduced.map { "it was made with what is not known here: \($0)" }
  }

  /// The model that the picture names, or the one of `--model`.
  func modelPath() throws -> String {
    if let given = models.model { return try ModelLocation.path(given) }
    guard let name = record["Model"] else {
      throw ValidationError("it does not say which model drew it; give it with --model")
    }
    let found = files.models(name)
    guard let first = found.first else {
      let hash = record["Model hash"].map { " (hash \($0))" } ?? ""
      throw ValidationError(
        "it was drawn with the model \"\(name)\"\(hash), which is neither in \(files.places) nor "
          + "in checkpoints/; give it with --model")
    }
    guard found.count > 1, let hash = record["Model hash"] else { return first }
    return found.first { (try? ModelHash.of($0)) == hash } ?? first
  }

  /// How the model is loaded: as the picture says where the command line does not.
  mutating func loadingOptions(_ model: String) throws -> ModelOptions {
    var options = models
    options.model = model
    options.lora = []
    options.allowUnmatched = true
    if options.vae == nil, let name = record["VAE"] {
      options.vae = files.file(name, endings: ModelLocation.endings)
      if let path = options.vae {
        compare("VAE", record["VAE hash"], try? ModelHash.of(path))
      } else {
        doubts.append("its VAE \(name) is not there; give it with --vae")
      }
    }
    if options.tokenizer == nil, let name = record["Tokenizer"] {
      options.tokenizer = files.file(name)
      if options.tokenizer == nil {
        doubts.append("its tokenizer \(name) is not there; give it with --tokenizer")
      }
    }
    if options.prediction == nil, let name = record["Prediction"] {
      options.prediction = PredictionType(rawValue: name)
    }
    return options
  }

  /// Draws the picture, which must turn out as large as `original`.
  mutating func draw(
    _ original: Image, _ pipeline: TextToImagePipeline, _ loras: AttachedLoRAs
  ) throws -> Image {
    let (prompt, tags) = try PromptLoRA.extract(from: record.parameters.prompt)
    try attach(tags, loras)
    let picture = try initialPicture()
    var request = try GenerationRequest(
      record, sizeOtherwise: picture.map { pipeline.fitting($0.picture) })
    (request.prompts, request.initial) = ([prompt], picture)
    request.hires = try record.parameters.hiresPass()
    try pipeline.validate(request)
    let last = request.secondPass(unit: pipeline.codec.pixelsPerLatent) ?? request
    guard (last.width, last.height) == (original.width, original.height) else {
      throw ValidationError(
        "it is \(original.width)x\(original.height), but its parameters make "
          + "\(last.width)x\(last.height): it is a sheet, or was enlarged or cropped")
    }
    let steps = try pipeline.stepCounts(request).reduce(0, +)
    var done = 0
    var bar = ProgressBar(
      "Drawing \((path as NSString).lastPathComponent)", isVisible: console.isTalkative)
    let pictures = try pipeline.generate(request) { _, _ in
      done += 1
      bar.update(done, of: steps)
    }
    bar.finish()
    return pictures[0]
  }

  /// Attaches the LoRA files of the text, or of `--lora`, and those of the prompt.
  private mutating func attach(_ tags: [PromptLoRA], _ loras: AttachedLoRAs) throws {
    let named =
      try models.lora.isEmpty
      ? record.parameters.fields.filter { $0.name == "LoRA" }
        .map { try LoRAArgument(parsing: $0.value) } : []
    let asked =
      named
      + tags.map { LoRAArgument(path: $0.name, weight: $0.weight, textWeight: $0.textWeight) }
    var found = models.lora
    for var lora in asked {
      let name = ((lora.path as NSString).lastPathComponent)
      guard let path = files.lora(lora.path) else {
        doubts.append(
          "its LoRA \(name) is not in \(files.places); say where it is with --lora-folder")
        continue
      }
      lora.path = path
      found.append(lora)
    }
    try loras.use(files: found)
    let hashes = loraHashes()
    for lora in found {
      let name = ((lora.path as NSString).lastPathComponent as NSString).deletingPathExtension
      compare("LoRA \(name)", hashes[name], try loras.hash(of: lora.path))
    }
  }

  /// `name: hash, name: hash` by names.
  private func loraHashes() -> [String: String] {
    let pairs = (record["Lora hashes"] ?? "").split(separator: ",").compactMap { pair in
      pair.lastIndex(of: ":").map { colon in
        (
          pair[..<colon].trimmingCharacters(in: .whitespaces),
          pair[pair.index(after: colon)...].trimmingCharacters(in: .whitespaces)
        )
      }
    }
    return Dictionary(pairs) { first, _ in first }
  }

  /// The picture it was begun from; `nil` for one that was drawn from words.
  private mutating func initialPicture() throws -> InitialPicture? {
    guard let strength = try record.strength() else {
      guard initial.picture == nil else {
        throw ValidationError("it was drawn from words alone; leave out --init")
      }
      return nil
    }
    guard let picture = try self.picture(initial.picture, "Init picture") else {
      throw ValidationError(
        "it was begun from another picture\(named("Init picture")), which is not beside it; give "
          + "that one with --init")
    }
    let mask = try self.picture(initial.mask, "Mask")
    guard mask != nil || record["Mask"] == nil else {
      throw ValidationError(
        "it was drawn with a mask\(named("Mask")), which is not beside it; give that with --mask")
    }
    return InitialPicture(picture, mask: mask, strength: initial.strength ?? strength)
  }

  private func named(_ field: String) -> String { record[field].map { ", \($0)" } ?? "" }

  /// A picture of the command line, or else one that the text names.
  private mutating func picture(_ given: String?, _ field: String) throws -> Image? {
    guard let path = given ?? record[field].flatMap({ files.file($0) }) else { return nil }
    compare((path as NSString).lastPathComponent, record[field + " hash"], try? ModelHash.of(path))
    return try Image(contentsOf: path)
  }

  /// Notes that a file is another one than the picture was drawn with.
  mutating func compare(_ what: String, _ expected: String?, _ found: String?) {
    guard let expected, let found, expected != found else { return }
    doubts.append("\(what) has the hash \(found), not \(expected) as the file it was drawn with")
  }
}
