import Checkpoints
import ComputeCore

/// An open LoRA file whose names are all understood; tensors are read when it is attached.
public final class LoRAFile {
  /// One adapter of the file.
  struct Entry {
    let component: LoRAComponent
    /// Path of the layer, dotted or flattened.
    let module: String
    let isFlattened: Bool
    /// Names of its tensors.
    var keys: [LoRAKey.Part: String] = [:]
    /// Names of tensors of dialects that are recognised only.
    var otherKeys: [String] = []

    var allKeys: [String] { (keys.values + otherKeys).sorted() }
  }

  /// How the file names its tensors.
  public let dialect: LoRADialect
  /// Text that came with the tensors.
  public var metadata: [String: String] { file.metadata }
  /// The path it was opened from.
  public var path: String { file.path }

  let file: SafetensorsFile
  /// Sorted by component and name.
  let entries: [Entry]

  /// Opens a file and sorts its tensors by adapter.
  ///
  /// Dialects that are recognised only are opened too, so that they can be described.
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
    var entries: [String: Entry] = [:]
    var dialects: [LoRADialect: [String]] = [:]
    for case (let key, let parsed?) in keys {
      if let dialect = parsed.dialect { dialects[dialect, default: []].append(key) }
      try LoRAFile.add(parsed, key, to: &entries, path)
    }
    dialect = try LoRAFile.dialect(among: dialects, keys: file.keys, path)
    self.entries = entries.sorted { $0.key < $1.key }.map(\.value)
    let incomplete = self.entries.filter {
      $0.otherKeys.isEmpty && ($0.keys[.down] == nil || $0.keys[.up] == nil)
    }
    guard incomplete.isEmpty || !dialect.isSupported else {
      throw .incomplete(file: path, modules: incomplete.map(\.module))
    }
  }

  private static func add(
    _ parsed: LoRAKey, _ key: String, to entries: inout [String: Entry], _ path: String
  ) throws(LoRAError) {
    let name = "\(parsed.component.diffusersPrefix)\(parsed.module)"
    var entry =
      entries[name]
      ?? Entry(
        component: parsed.component, module: parsed.module, isFlattened: parsed.isFlattened)
    if parsed.part == .other {
      entry.otherKeys.append(key)
    } else if let other = entry.keys.updateValue(key, forKey: parsed.part) {
      throw .invalidValue(
        file: path, key: key, found: "the same as \"\(other)\"", expected: "one tensor of each")
    }
    entries[name] = entry
  }

  /// The dialect of the file: one that is recognised only, if there is any, or the only one.
  private static func dialect(
    among dialects: [LoRADialect: [String]], keys: [String], _ path: String
  ) throws(LoRAError) -> LoRADialect {
    if let exotic = LoRADialect.allCases.first(where: { !$0.isSupported && dialects[$0] != nil }) {
      return exotic
    }
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
  func shape(_ part: LoRAKey.Part, of entry: Entry) -> Shape {
    entry.keys[part].flatMap(file.shape(of:)) ?? []
  }

  /// Finds out the alphas of adapters, wherever the dialect keeps them.
  ///
  /// - Throws: `LoRAError.invalidValue` or `.checkpoint`.
  func alphas() throws(LoRAError) -> [Float] {
    let native = dialect == .peft ? try AdapterConfig(beside: path) : nil
    var configs: [LoRAComponent: AdapterConfig] = [:]
    for component in LoRAComponent.allCases where dialect == .diffusers {
      configs[component] = try AdapterConfig(
        metadata: metadata, component: component, file: path)
    }
    var alphas: [Float] = []
    for entry in entries {
      let rank = shape(.down, of: entry).first ?? 0
      if let key = entry.keys[.alpha] {
        alphas.append(try alpha(key))
      } else {
        let config = native ?? configs[entry.component]
        alphas.append(config?.alpha(of: entry.module, rank: rank) ?? Float(rank))
      }
    }
    return alphas
  }

  private func alpha(_ key: String) throws(LoRAError) -> Float {
    let value = try read(key)
    guard value.count == 1, value.item.isFinite else {
      throw .invalidValue(
        file: path, key: key, found: "\(value.shape.isEmpty ? "\(value.item)" : "\(value.shape)")",
        expected: "one finite number")
    }
    return value.item
  }

  /// Reads a tensor.
  func read(_ key: String) throws(LoRAError) -> Tensor {
    do throws(CheckpointError) {
      return try file.tensor(key)
    } catch { throw .checkpoint(error) }
  }
}
