import ArgumentParser
import ComputeCore
import Diffusion
import Foundation
import ImageIO
import LoRA
import Pipelines
import Plots

/// Draws pictures from a prompt.
struct SampleCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sample", abstract: "Draw pictures from words.",
    discussion: """
      Example: imgen sample "a red apple" --seed 1 --count 4 --grid
      The same words, seed and settings give the same pixels, whatever the number of threads.
      """)

  @Argument(help: "What to draw.")
  var prompt: [String] = []

  @Option(help: "File with one prompt per line, in place of a prompt.")
  var promptsFrom: String?

  @Option(help: "What the picture should not be like.")
  var negative = ""

  @Option(help: "Seed of the first picture; the next ones count up. Default: random.")
  var seed: UInt64?

  @Option(help: "Steps of the sampler. Default: the model's.")
  var steps: Int?

  @Option(
    help: "Sampler, such as euler_a or \"DPM++ 2M Karras\"; help lists them. Default: the model's.")
  var sampler: String?

  @Option(help: "How the sampler spaces its noise levels, such as karras. Default: its own way.")
  var schedule: String?

  @Option(help: "How closely to follow the words; 1 is no guidance. Default: the model's.")
  var guidance: Float?

  @Option(
    help: "Size of the picture. Default: the model's.", transform: PictureSize.init(parsing:))
  var size: PictureSize?

  @Option(help: "How many pictures of each prompt.")
  var count = 1

  @Flag(help: "Also write all pictures as one sheet.")
  var grid = false

  @Option(help: "Model folder, or the name of one in checkpoints/.")
  var model: String?

  @Option(
    help: "LoRA file, with its weight after a colon: style.safetensors:0.8. May be repeated.",
    transform: LoRAArgument.init(parsing:))
  var lora: [LoRAArgument] = []

  @Option(help: "PNG file, or folder for several pictures. Default: named after prompt and seed.")
  var out: String?

  @OptionGroup var compute: ComputeOptions
  @OptionGroup var console: ConsoleOptions

  func validate() throws {
    guard (1...1000).contains(count) else {
      throw ValidationError("--count is \(count), expected 1 to 1000.")
    }
    guard out != "" else { throw ValidationError("--out is empty, expected a file or a folder.") }
    guard sampler == "help" || prompt.isEmpty != (promptsFrom == nil) else {
      throw ValidationError("give a prompt, such as \"a red apple\", or --prompts-from, not both.")
    }
    if let out, out.lowercased().hasSuffix(".png"), count > 1 || promptsFrom != nil {
      throw ValidationError("--out is one file, but there are several pictures; name a folder.")
    }
  }

  func run() throws {
    guard sampler != "help" else { return print(SamplerName.help) }
    try compute.run(defaultPrecision: .float32) { try sample() }
  }

  private func sample() throws {
    let start = Date()
    try checkOutput()
    let prompts = try allPrompts()
    let pipeline = try TextToImagePipeline.load(folder: ModelLocation.folder(model))
    for argument in lora { try attach(argument, to: pipeline) }
    warnAboutLongPrompts(prompts, pipeline)
    let first = seed ?? UInt64.random(in: 0..<1 << 32)
    let tasks = prompts.flatMap { prompt in
      (0..<count).map { (prompt: prompt, seed: first &+ UInt64($0)) }
    }
    let settings = try request(pipeline, [tasks[0]])
    try pipeline.validate(settings)
    var written: [String] = []
    var pictures: [Image] = []
    var bar = ProgressBar("Drawing", isVisible: console.isTalkative)
    for start in stride(from: 0, to: tasks.count, by: Self.batch) {
      let batch = Array(tasks[start..<min(tasks.count, start + Self.batch)])
      let request = try request(pipeline, batch)
      var latents: Tensor?
      for step in try pipeline.sampling(request) {
        latents = step.sample
        bar.update(
          start * step.count + (step.index + 1) * batch.count, of: tasks.count * step.count)
      }
      guard let latents else { continue }
      for (index, picture) in pipeline.pictures(latents).enumerated() {
        let path = try path(for: batch[index].prompt, batch[index].seed, notOf: written)
        let parameters = GenerationParameters(
          request, index: index, model: pipeline.name, version: Imgen.version)
        try picture.writePNG(to: path, text: [("parameters", parameters.text)])
        written.append(path)
        pictures.append(picture)
      }
    }
    bar.finish()
    if grid {
      let path = try gridPath(prompts, first)
      try sheet(pictures, prompts).writePNG(to: path)
      written.append(path)
    }
    for path in written { console.say(path) }
    try console.report(
      SampleReport(
        files: written, seed: first, steps: settings.steps, sampler: settings.sampler.comfyUI,
        guidance: settings.guidanceScale, width: settings.width, height: settings.height,
        model: pipeline.name, seconds: Date().timeIntervalSince(start)))
  }

  /// Pictures drawn at the same time.
  private static let batch = 8

  private func allPrompts() throws -> [String] {
    guard let promptsFrom else { return [prompt.joined(separator: " ")] }
    let text: String
    do {
      text = try String(contentsOfFile: promptsFrom, encoding: .utf8)
    } catch {
      throw ValidationError(
        "cannot read prompts from \(promptsFrom): \(error.localizedDescription)")
    }
    let lines = text.split(whereSeparator: \.isNewline).map(String.init)
    guard !lines.isEmpty else {
      throw ValidationError("\(promptsFrom) is empty, expected one prompt per line.")
    }
    return lines
  }

  private func request(_ pipeline: TextToImagePipeline, _ tasks: [(prompt: String, seed: UInt64)])
    throws -> GenerationRequest
  {
    var request = try GenerationRequest(
      prompts: tasks.map(\.prompt), seeds: tasks.map(\.seed), pipeline.defaults)
    request.negativePrompt = negative
    if let steps { request.steps = steps }
    if sampler != nil || schedule != nil {
      request.sampler = try SamplerName(
        parsing: sampler ?? request.sampler.comfyUI, schedule: schedule ?? "")
    }
    if let guidance { request.guidanceScale = guidance }
    if let size { (request.width, request.height) = (size.width, size.height) }
    return request
  }

  /// As square as it can be for one prompt; for several a row for each, with the prompt under it.
  private func sheet(_ pictures: [Image], _ prompts: [String]) -> Image {
    guard prompts.count > 1 else { return contactSheet(pictures) }
    let strips = prompts.indices.map { index in
      contactSheet(Array(pictures[index * count..<(index + 1) * count]), columns: count)
    }
    return captionedSheet(strips, captions: prompts, columns: strips.count > 4 ? 2 : 1)
  }

  private func attach(_ argument: LoRAArgument, to pipeline: TextToImagePipeline) throws {
    let attached = try LoRAFile(argument.path).attach(
      to: [.unet: pipeline.unet], strength: argument.weight)
    if !attached.skippedKeys.isEmpty {
      console.warn(
        "\(argument.path): \(attached.skippedKeys.count) tensors are for a text encoder and are "
          + "not used")
    }
  }

  private func warnAboutLongPrompts(_ prompts: [String], _ pipeline: TextToImagePipeline) {
    for text in prompts + [negative] {
      let left = pipeline.conditioner.truncatedCount(text)
      if left > 0 {
        console.warn(
          "\"\(text)\" is too long for this model: its last \(left) tokens are left out")
      }
    }
  }

  /// The file of a picture; prompts that would give the name of one in `written` get a number.
  private func path(for prompt: String, _ seed: UInt64, notOf written: [String]) throws -> String {
    let stem = "\(fileName(prompt))-\(seed)"
    let folder = out.map { $0 + "/" } ?? ""
    let names = ([""] + (2..<written.count + 3).map { "-\($0)" }).map { "\(stem)\($0).png" }
    let name = names.first { !written.contains(folder + $0) } ?? names[0]
    guard let out else { return name }
    if out.lowercased().hasSuffix(".png") {
      try makeFolder((out as NSString).deletingLastPathComponent)
      return out
    }
    try makeFolder(out)
    return "\(out)/\(name)"
  }

  private func gridPath(_ prompts: [String], _ seed: UInt64) throws -> String {
    let name = "\(prompts.count > 1 ? "prompts" : fileName(prompts[0]))-\(seed)-grid.png"
    guard let out else { return name }
    if out.lowercased().hasSuffix(".png") { return String(out.dropLast(4)) + "-grid.png" }
    return "\(out)/\(name)"
  }

  private func checkOutput() throws {
    guard let out else { return try OutputLocation.check(folder: "") }
    if count == 1, out.lowercased().hasSuffix(".png") {
      try OutputLocation.check(file: out)
    } else {
      try OutputLocation.check(folder: out)
    }
  }
}

/// "A red apple!" → "a-red-apple", at most 48 letters.
private func fileName(_ prompt: String) -> String {
  let words = prompt.lowercased().split { !$0.isLetter && !$0.isNumber }
  let name = words.joined(separator: "-").prefix(48)
  return name.isEmpty ? "picture" : String(name)
}

/// `--json` of `imgen sample`.
private struct SampleReport: Encodable {
  let files: [String]
  let seed: UInt64
  let steps: Int
  let sampler: String
  let guidance: Float
  let width: Int
  let height: Int
  let model: String
  let seconds: Double
}
