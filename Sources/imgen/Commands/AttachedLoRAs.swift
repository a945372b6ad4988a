import ArgumentParser
import Foundation
import Layers
import LoRA
import Pipelines

/// The LoRA files that change a pipeline: those of the command line always, those of a prompt while
/// it is drawn.
final class AttachedLoRAs {
  private let stack: LoRAStack
  private let options: ModelOptions
  private let console: ConsoleOptions
  private var ofPrompt: [AttachedLoRA] = []
  private var current: [LoRAArgument] = []
  private var files: [String: LoRAFile] = [:]
  private var hashes: [String: String] = [:]
  private var reported: Set<String> = []

  /// Attaches the files of the command line.
  init(
    _ options: ModelOptions, to pipeline: TextToImagePipeline, _ console: ConsoleOptions
  ) throws {
    var models: [LoRAComponent: any Module] = [.unet: pipeline.unet]
    models[.textEncoder] = pipeline.conditioner.adaptableModel
    stack = LoRAStack(models)
    (self.options, self.console) = (options, console)
    for argument in options.lora {
      _ = try attach(argument.path, argument.weight, argument.textWeight)
    }
  }

  /// Attaches the files that a prompt asks for, and takes off those of the one before.
  func use(_ loras: [PromptLoRA]) throws {
    try use(
      files: loras.map {
        LoRAArgument(path: try path(of: $0), weight: $0.weight, textWeight: $0.textWeight)
      })
  }

  /// Attaches files, and takes off those of the call before.
  func use(files loras: [LoRAArgument]) throws {
    guard loras != current else { return }
    for attached in ofPrompt { attached.detach() }
    (ofPrompt, current) = ([], [])
    for lora in loras {
      ofPrompt.append(try attach(lora.path, lora.weight, lora.textWeight))
    }
    current = loras
  }

  /// The attached files as a picture's text names them: those of the command line with their
  /// weights, which stand nowhere else, and the hashes of all.
  func fields() throws -> [GenerationParameters.Field] {
    let named = options.lora.map { GenerationParameters.Field("LoRA", $0.name) }
    let hashes = try (options.lora + current).map { lora in
      let name = ((lora.path as NSString).lastPathComponent as NSString).deletingPathExtension
      return "\(name): \(try hash(of: lora.path))"
    }
    guard !hashes.isEmpty else { return [] }
    return named + [.init("Lora hashes", hashes.joined(separator: ", "))]
  }

  /// The short hash of an attached file.
  func hash(of path: String) throws -> String {
    if let known = hashes[path] { return known }
    let hash = try (files[path] ?? LoRAFile(path)).shortHash()
    hashes[path] = hash
    return hash
  }

  /// Refuses prompts that ask for files that are not there.
  func check(_ loras: [PromptLoRA]) throws {
    for lora in loras { _ = try path(of: lora) }
  }

  private func path(of lora: PromptLoRA) throws -> String {
    guard !options.loraFolder.isEmpty else {
      throw ValidationError(
        "a prompt asks for <lora:\(lora.name)>, but no --lora-folder says where it is.")
    }
    return try LoRAFolder.path(named: lora.name, in: options.loraFolder)
  }

  private func attach(
    _ path: String, _ weight: Float, _ textWeight: Float
  ) throws -> AttachedLoRA {
    let file = try files[path] ?? LoRAFile(path)
    files[path] = file
    let attached = try stack.attach(
      file, strength: weight, textStrength: textWeight, allowsUnmatched: options.allowUnmatched)
    guard reported.insert(path).inserted else { return attached }
    if !attached.skippedKeys.isEmpty {
      console.warn(
        "\(path): \(attached.skippedKeys.count) tensors are for a text encoder that this model "
          + "does not have and are not used")
    }
    if !attached.unmatchedKeys.isEmpty {
      console.warn(
        "\(path): \(attached.unmatchedKeys.count) tensors are for layers that this model does not "
          + "have and are not used: \(attached.unmatchedKeys.prefix(3).joined(separator: ", "))"
          + (attached.unmatchedKeys.count > 3 ? ", …" : ""))
    }
    return attached
  }
}
