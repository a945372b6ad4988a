import ArgumentParser
import Checkpoints
import ComputeCore
import Diffusion
import Foundation
import ImageIO
import Layers
import LoRA
import Pipelines

/// Says what a file is: a picture's generation parameters, a LoRA, a checkpoint, a model folder.
struct InfoCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "info", abstract: "Say what a picture, LoRA, checkpoint or model folder is.")

  @Argument(help: "PNG or JPEG file, .safetensors or .ckpt file, or model folder.")
  var path: String

  @OptionGroup var console: ConsoleOptions

  func run() throws {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      throw ValidationError("there is no file or folder \(path).")
    }
    let facts: [Fact]
    if isFolder.boolValue {
      facts = try modelFacts()
    } else if CheckpointDescription.endings.contains(where: path.lowercased().hasSuffix) {
      facts = try weightFacts()
    } else {
      facts = try pictureFacts()
    }
    let width = facts.map(\.name.count).max() ?? 0
    for fact in facts {
      let name = fact.name.padding(toLength: width, withPad: " ", startingAt: 0)
      console.say("\(name)  \(fact.value)")
    }
    try console.report(
      Dictionary(facts.map { ($0.name, $0.value) }) { first, second in first + ", " + second })
  }

  private func pictureFacts() throws -> [Fact] {
    let file = try ImageFile(contentsOf: path)
    var facts = [
      Fact("kind", "\(file.format)".uppercased() + " picture"),
      Fact("size", "\(file.image.width)x\(file.image.height)"),
    ]
    // A graph that cannot be followed is shown as it is.
    guard let record = try? GenerationRecord(text: file.text) else {
      return facts + file.text.sorted { $0.key < $1.key }.map { Fact($0.key, $0.value) }
    }
    let parameters = record.parameters
    facts.append(Fact("prompt", parameters.prompt))
    if !parameters.negativePrompt.isEmpty {
      facts.append(Fact("negative prompt", parameters.negativePrompt))
    }
    return facts + parameters.fields.map { Fact($0.name, $0.value) }
  }

  private func weightFacts() throws -> [Fact] {
    let file = try CheckpointFile.open(path)
    let isLoRA = file.keys.contains { key in
      ["lora_", ".lora.", "hada_", "lokr_", "_lora."].contains { key.contains($0) }
    }
    guard isLoRA, file is SafetensorsFile else {
      return try CheckpointDescription(file).facts.map { Fact($0.name, $0.value) }
    }
    let lines = "\(try LoRAFile.inspect(path))".split(separator: "\n").map(String.init)
    return [Fact("kind", "LoRA")]
      + lines.map { line in
        let name = line.prefix { $0 != " " }
        return Fact(String(name), line[name.endIndex...].trimmingCharacters(in: .whitespaces))
      }
  }

  private func modelFacts() throws -> [Fact] {
    let pipeline = try TextToImagePipeline.load(folder: path)
    let defaults = pipeline.defaults
    return [
      Fact("kind", "text-to-image model"), Fact("name", pipeline.name),
      Fact("U-Net", "\(pipeline.unet.parameterCount) parameters"),
      Fact("text", "\(pipeline.conditioner.tokens) tokens of \(pipeline.conditioner.channels)"),
      Fact(
        "latents",
        "\(pipeline.codec.latentChannels) channels, \(pipeline.codec.pixelsPerLatent) pixels wide"),
      Fact("prediction", pipeline.scheduler.predictionType.rawValue),
      Fact("size", "\(defaults.width)x\(defaults.height)"),
      Fact(
        "sampling",
        "\(defaults.sampler), \(defaults.steps) steps, guidance \(defaults.guidanceScale)"),
    ]
  }
}

/// One thing worth knowing about a file.
private struct Fact {
  let name: String
  let value: String

  init(_ name: String, _ value: String) {
    (self.name, self.value) = (name, value)
  }
}
