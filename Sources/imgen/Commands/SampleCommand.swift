import ArgumentParser
import ComputeCore
import Diffusion
import Foundation
import ImageIO
import LoRA
import Pipelines
import Plots

extension Likeness: ExpressibleByArgument {}

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

  @Option(help: "How much of the contrast that guidance adds is taken back, 0 to 1.")
  var guidanceRescale: Float = 0

  @Option(
    help: """
      Layer of the text encoder that is used, from the last, which is 1, as AUTOMATIC1111 counts \
      (diffusers counts one less).
      """)
  var clipSkip = 1

  @Option(
    help: """
      Program whose pictures are wanted: whose random numbers, noise levels and rules for prompts \
      are used.
      """)
  var like = Likeness.diffusers

  @Option(
    help: "Size of the picture. Default: the model's.", transform: PictureSize.init(parsing:))
  var size: PictureSize?

  @Option(help: "How many pictures of each prompt.")
  var count = 1

  @Flag(help: "Also write all pictures as one sheet.")
  var grid = false

  @Option(help: "PNG file, or folder for several pictures. Default: named after prompt and seed.")
  var out: String?

  @Option(
    help: """
      Write a preview every so many steps: PICTURE.preview.png beside the picture, which is replaced \
      each time and taken away when the picture is there. The picture stays the same.
      """)
  var previewEvery: Int?

  @OptionGroup var initial: InitialPictureOptions
  @OptionGroup var hires: HiresOptions
  @OptionGroup var models: ModelOptions
  @OptionGroup var compute: ComputeOptions
  @OptionGroup var console: ConsoleOptions

  func validate() throws {
    guard (1...1000).contains(count) else {
      throw ValidationError("--count is \(count), expected 1 to 1000.")
    }
    if let previewEvery, previewEvery < 1 {
      throw ValidationError("--preview-every is \(previewEvery), expected at least 1.")
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
    let tasks = try allTasks()
    let pipeline = try models.load()
    let loras = try AttachedLoRAs(models, to: pipeline, console)
    for task in tasks { try loras.check(task.loras) }
    warnAboutLongPrompts(tasks.map(\.prompt), pipeline)
    let picture = try initial.load()
    let settings = try request(pipeline, [tasks[0]], from: picture)
    try pipeline.validate(settings)
    let origin = try PictureOrigin(models, initial)
    var written: [String] = []
    var pictures: [Image] = []
    let bar = DrawingBar(
      try pipeline.stepCounts(settings), settings.hires, pictures: tasks.count, console)
    for batch in batches(tasks) {
      try loras.use(batch[0].loras)
      let request = try request(pipeline, batch, from: picture)
      let paths = try batch.reduce(into: [String]()) { paths, task in
        paths.append(try path(for: task.prompt, task.seed, notOf: written + paths))
      }
      var previews = Previews(every: previewEvery, of: paths, pipeline, console)
      let drawn = try draw(request, pipeline, bar, &previews)
      for (index, picture) in drawn.enumerated() {
        var parameters = GenerationParameters(
          request, index: index, model: pipeline.name, modelHash: origin.modelHash(console),
          origin: try origin.fields + loras.fields(), version: Imgen.version)
        parameters.prompt = batch[index].typed
        try picture.writePNG(to: paths[index], text: [("parameters", parameters.text)])
        previews.remove(index)
        written.append(paths[index])
        pictures.append(picture)
      }
    }
    bar.finish()
    if grid {
      let prompts = stride(from: 0, to: tasks.count, by: count).map { tasks[$0].prompt }
      let path = try gridPath(prompts, tasks[0].seed)
      try sheet(pictures, prompts).writePNG(to: path)
      written.append(path)
    }
    for path in written { console.say(path) }
    try console.report(
      SampleReport(
        files: written, seed: tasks[0].seed, steps: settings.steps,
        sampler: settings.sampler.spelling(like: like), guidance: settings.guidanceScale,
        width: pictures.first?.width ?? settings.width,
        height: pictures.first?.height ?? settings.height, model: pipeline.name,
        seconds: Date().timeIntervalSince(start)))
  }

  /// A picture to be drawn.
  private struct Task {
    /// The prompt as it was typed.
    let typed: String
    /// The prompt without what it says about LoRA files.
    let prompt: String
    let loras: [PromptLoRA]
    let seed: UInt64
  }

  private func allTasks() throws -> [Task] {
    let first = seed ?? UInt64.random(in: 0..<1 << 32)
    return try allPrompts().flatMap { typed in
      let (prompt, loras) = try PromptLoRA.extract(from: typed)
      return (0..<count).map {
        Task(typed: typed, prompt: prompt, loras: loras, seed: first &+ UInt64($0))
      }
    }
  }

  /// Pictures that are drawn at the same time: those that use the same LoRA files, a few at a time.
  private func batches(_ tasks: [Task]) -> [[Task]] {
    // ComfyUI draws a batch from one seed; every picture here is what its own seed gives.
    let most = like == .comfyUI ? 1 : 8
    return tasks.reduce(into: []) { batches, task in
      if let last = batches.last, last.count < most, last[0].loras == task.loras {
        batches[batches.count - 1].append(task)
      } else {
        batches.append([task])
      }
    }
  }

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

  private func request(
    _ pipeline: TextToImagePipeline, _ tasks: [Task], from picture: InitialPicture?
  ) throws -> GenerationRequest {
    var request = try GenerationRequest(
      prompts: tasks.map(\.prompt), seeds: tasks.map(\.seed), pipeline.defaults)
    request.negativePrompt = negative
    if let steps { request.steps = steps }
    if sampler != nil || schedule != nil {
      request.sampler = try SamplerName(
        parsing: sampler ?? request.sampler.spelling(like: like), schedule: schedule ?? "",
        like: like)
    }
    if let guidance { request.guidanceScale = guidance }
    request.guidanceRescale = guidanceRescale
    (request.clipSkip, request.likeness) = (clipSkip, like)
    (request.initial, request.hires) = (picture, hires.pass(for: pipeline))
    if let picture { (request.width, request.height) = pipeline.fitting(picture.picture) }
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

  private func warnAboutLongPrompts(_ prompts: [String], _ pipeline: TextToImagePipeline) {
    let reading = PromptReading(like: like, clipSkip: clipSkip)
    for text in Set(prompts + [negative]).sorted() {
      let left = pipeline.conditioner.truncatedCount(text, reading)
      if left > 0 {
        console.warn(
          "\"\(text)\" is too long for this model: its last \(left) tokens are left out")
      }
    }
  }
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
