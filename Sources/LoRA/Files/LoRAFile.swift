import Checkpoints
import ComputeCore

/// An open LoRA file whose names are all understood; tensors are read when it is attached.
public final class LoRAFile {
  /// How the file names its tensors.
  public let dialect: LoRADialect
  /// Text that came with the tensors.
  public var metadata: [String: String] { file.metadata }
  /// The path it was opened from.
  public var path: String { file.path }

  let file: SafetensorsFile
  /// Sorted by component and name.
  let entries: [LoRAEntry]

  /// Opens a file and sorts its tensors by adapter.
  ///
  /// - Throws: `LoRAError.unrecognized` with all names that no dialect has, `.unsupported` for
  ///   mixed dialects, `.incomplete`, `.invalidValue` or `.checkpoint`.
  public init(_ path: String) throws(LoRAError) {
    do throws(CheckpointError) {
      file = try SafetensorsFile(path)
    } catch { throw .checkpoint(error) }
    let keys = file.keys.map { ($0, LoRAKey($0)) }
    let strange = keys.filter { $0.1 == nil }.map(\.0)
    guard strange.isEmpty, !keys.isEmpty else {
      throw .unrecognized(file: path, keys: strange)
    }
    var entries: [String: LoRAEntry] = [:]
    var dialects: [LoRADialect: [String]] = [:]
    for case (let key, let parsed?) in keys {
      if let dialect = parsed.dialect { dialects[dialect, default: []].append(key) }
      try LoRAFile.add(parsed, key, to: &entries, path)
    }
    dialect = try LoRAFile.dialect(among: dialects, keys: file.keys, path)
    self.entries = entries.sorted { $0.key < $1.key }.map(\.value)
    let flawed = self.entries.compactMap { entry in entry.flaw.map { "\(entry.module): \($0)" } }
    guard flawed.isEmpty else { throw .incomplete(file: path, modules: flawed) }
  }

  private static func add(
    _ parsed: LoRAKey, _ key: String, to entries: inout [String: LoRAEntry], _ path: String
  ) throws(LoRAError) {
    let name = "\(parsed.component.diffusersPrefix)\(parsed.module)"
    var entry =
      entries[name]
      ?? LoRAEntry(
        component: parsed.component, module: parsed.module, isFlattened: parsed.isFlattened)
    if let other = entry.add(parsed.part, key) {
      throw .invalidValue(
        file: path, key: key, found: "the same as \"\(other)\"", expected: "one tensor of each")
    }
    entries[name] = entry
  }

  /// The only dialect of the file.
  private static func dialect(
    among dialects: [LoRADialect: [String]], keys: [String], _ path: String
  ) throws(LoRAError) -> LoRADialect {
    guard let dialect = dialects.keys.first else {
      throw .unrecognized(file: path, keys: keys)
    }
    guard dialects.count == 1 else {
      let names = dialects.keys.map(\.rawValue).sorted().joined(separator: " and ")
      throw .unsupported(
        file: path, kind: "a mixture of \(names)",
        keys: dialects.values.compactMap(\.first).sorted())
    }
    return dialect
  }

  /// Shape of one of an adapter's tensors; `[]` when it has none.
  func shape(_ part: LoRAKey.Part, of entry: LoRAEntry) -> Shape {
    entry.keys[part].flatMap(file.shape(of:)) ?? []
  }

  /// The rank of an adapter, `nil` for forms without one.
  func rank(of entry: LoRAEntry) -> Int? {
    let part: LoRAKey.Part? =
      switch entry.form {
      case .lowRank, .tucker: .down
      case .hadamard: .hadaW1B
      case .kronecker: [.lokrW1B, .lokrW2B].first(where: entry.has)
      case .difference, .norm: nil
      }
    return part.flatMap { shape($0, of: entry).first }
  }

  /// Reads a tensor of finite numbers.
  func read(_ key: String) throws(LoRAError) -> Tensor {
    let tensor: Tensor
    do throws(CheckpointError) {
      tensor = try file.tensor(key)
    } catch { throw .checkpoint(error) }
    guard tensor.isFinite else {
      throw .invalidValue(
        file: path, key: key, found: "partly infinite or not a number", expected: "finite numbers")
    }
    return tensor
  }
}

extension Tensor {
  /// Whether no element is infinite or not a number.
  var isFinite: Bool {
    withExtendedLifetime(self) {
      UnsafeBufferPointer(start: pointer, count: count).allSatisfy(\.isFinite)
    }
  }
}
