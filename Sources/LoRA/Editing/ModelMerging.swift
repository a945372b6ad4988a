import Checkpoints
import ComputeCore
import Foundation
import Layers

/// Adds LoRA files to the weights of a model folder and writes a new one.
public struct ModelMerging {
  /// What was done.
  public struct Result: Sendable {
    /// Number of tensors that were changed.
    public let changedCount: Int
    /// Names of the LoRA files' tensors that the model has no place for.
    public let unmatchedKeys: [String]
  }

  /// The weights of one part of a model.
  private struct Part {
    let component: LoRAComponent
    let folder: String
    let weightsName: String
    let source: any TensorSource
  }

  private let folder: String
  private let parts: [Part]
  private var patches: [LoRAComponent: [String: [(patch: ParameterPatch, strength: Float)]]] = [:]
  private var unmatchedKeys: [String] = []

  /// Finds the parts of a model that LoRA files change.
  ///
  /// - Parameter folder: a model folder as diffusers saves it.
  /// - Throws: `LoRAError.checkpoint` when it has no U-Net or a file cannot be read.
  public init(_ folder: String) throws(LoRAError) {
    self.folder = folder
    var parts: [Part] = []
    let places: [(LoRAComponent, String, String)] = [
      (.unet, "unet", "diffusion_pytorch_model"), (.textEncoder, "text_encoder", "model"),
      (.secondTextEncoder, "text_encoder_2", "model"),
    ]
    for (component, name, weightsName) in places
    where FileManager.default.fileExists(atPath: "\(folder)/\(name)") || component == .unet {
      do throws(CheckpointError) {
        let source = try WeightFiles.open(weightsName, in: "\(folder)/\(name)")
        parts.append(
          Part(component: component, folder: name, weightsName: weightsName, source: source))
      } catch { throw .checkpoint(error) }
    }
    self.parts = parts
  }

  /// Names of the model's layers, with which flattened names of files can be read.
  public var layerNames: LoRALayerNames { LoRALayerNames(tables: tables) }

  private var tables: [LoRAComponent: LayerTable] {
    Dictionary(
      uniqueKeysWithValues: parts.map { part in
        let shapes = part.source.keys.map { ($0, part.source.shape(of: $0) ?? []) }
        return (part.component, LayerTable(shapes: Dictionary(uniqueKeysWithValues: shapes)))
      })
  }

  /// Adds a file to what is merged.
  ///
  /// - Parameters:
  ///   - lora: the file with its weights.
  ///   - allowsUnmatched: whether tensors that the model has no place for are reported instead of
  ///     refused.
  /// - Throws: `LoRAError`, naming everything that does not fit.
  public mutating func add(
    _ lora: WeightedLoRA, allowsUnmatched: Bool = false
  ) throws(LoRAError) {
    let matches = try LoRAMatches(lora.file, tables, allowsUnmatched: allowsUnmatched)
    let unmatched = matches.skippedKeys + matches.unmatchedKeys
    guard allowsUnmatched || unmatched.isEmpty else {
      throw .mismatch(file: lora.file.path, unmatched: unmatched, wrongShapes: [])
    }
    unmatchedKeys += unmatched
    for match in matches.all {
      let component = match.entry.component
      for (part, key) in match.entry.keys where part != .alpha { _ = try lora.file.read(key) }
      let strength = lora.weight(of: component)
      if match.entry.changesWeight {
        let change = WeightChange(
          match.entry, in: lora.file, scale: match.scale, shape: match.layer.weightShape)
        patches[component, default: [:]][match.path + ".weight", default: []].append(
          (.weight(change), strength))
      }
      if let part = match.entry.biasPart, let key = match.entry.keys[part],
        match.layer.biasShape != nil
      {
        let scale = part == .upBias ? match.scale : 1
        patches[component, default: [:]][match.path + ".bias", default: []].append(
          (.tensor(lora.file.file, key: key, scale: scale), strength))
      }
    }
  }

  /// Writes the new model folder, which appears under its name only when it is complete.
  ///
  /// Tensors keep their types; those that no file changes keep all bits. Sharded weights become one
  /// file, everything else is copied.
  ///
  /// - Parameters:
  ///   - output: the new folder, which must not exist.
  ///   - progress: is told how many tensors are done, of how many.
  /// - Returns: what was changed.
  /// - Throws: `LoRAError.checkpoint`, or `.invalidValue` for weights that their type cannot hold.
  public func write(
    to output: String, progress: @escaping (_ done: Int, _ total: Int) -> Void = { _, _ in }
  ) throws(LoRAError) -> Result {
    let files = FileManager.default
    let output = FolderCopy.name(of: output)
    guard !files.fileExists(atPath: output) else {
      throw .checkpoint(.unwritable(file: output, reason: "it exists already"))
    }
    let temporary = "\(output).part-\(UUID().uuidString.prefix(8))"
    defer { try? files.removeItem(atPath: temporary) }
    do throws(CheckpointError) {
      try copyOtherFiles(to: FolderCopy(of: folder, to: temporary))
    } catch { throw .checkpoint(error) }
    let total = parts.reduce(0) { $0 + $1.source.keys.count }
    var done = 0
    for part in parts {
      try write(part, to: temporary) {
        done += 1
        progress(done, total)
      }
    }
    do {
      try files.moveItem(atPath: temporary, toPath: output)
    } catch {
      throw .checkpoint(.unwritable(file: output, reason: error.localizedDescription))
    }
    return Result(
      changedCount: patches.values.reduce(0) { $0 + $1.count }, unmatchedKeys: unmatchedKeys)
  }

  private func write(
    _ part: Part, to output: String, finished: @escaping () -> Void
  ) throws(LoRAError) {
    let failure = Failure()
    var entries: [SafetensorsEntry] = []
    do throws(CheckpointError) {
      for key in part.source.keys {
        let own = patches[part.component]?[key] ?? []
        entries.append(try entry(key, part.source, own, failure, finished))
      }
      try SafetensorsWriter.write(
        entries, metadata: ["format": "pt"],
        to: "\(output)/\(part.folder)/\(part.weightsName).safetensors")
    } catch { throw .checkpoint(error) }
    if let error = failure.error { throw error }
  }

  private func entry(
    _ key: String, _ source: any TensorSource,
    _ patches: [(patch: ParameterPatch, strength: Float)], _ failure: Failure,
    _ finished: @escaping () -> Void
  ) throws(CheckpointError) -> SafetensorsEntry {
    let (shape, dtype) = (source.shape(of: key) ?? [], source.dtype(of: key))
    let precisions: [SafetensorsDType: SafetensorsEntry.Precision] = [
      .f32: .f32, .f16: .f16, .bf16: .bf16,
    ]
    guard let dtype, let precision = precisions[dtype] else {
      // Integers, such as position ids.
      guard patches.isEmpty, let dtype else {
        throw .wrongType(
          file: source.path, key: key, found: dtype?.rawValue ?? "nothing",
          expected: "F32, F16 or BF16")
      }
      finished()
      return SafetensorsEntry(key, bytes: try source.bytes(key), shape, dtype)
    }
    return SafetensorsEntry(key, shape: shape, as: precision) {
      defer { finished() }
      do throws(LoRAError) {
        let sum: Tensor
        do throws(CheckpointError) {
          sum = try ParameterPatch.sum(try source.tensor(key), patches, layout: .plain)
        } catch { throw .checkpoint(error) }
        if !patches.isEmpty {
          try LoRAWriter.check(sum, fits: precision, key: key, source.path)
        }
        return sum
      } catch {
        failure.error = failure.error ?? error
        return Tensor.zeros(shape)
      }
    }
  }

  /// Everything but the weights of the parts that may change, links followed.
  private func copyOtherFiles(to copy: FolderCopy) throws(CheckpointError) {
    let written = Set(parts.map(\.folder))
    let endings = [".safetensors", ".safetensors.index.json", ".bin", ".msgpack"]
    try copy.run { name in
      let top = name.split(separator: "/").first.map(String.init) ?? ""
      return !written.contains(top) || !endings.contains(where: name.hasSuffix)
    }
  }
}

/// What went wrong while a tensor was made, which cannot throw.
private final class Failure {
  var error: LoRAError?
}
