import Checkpoints
import ComputeCore
import Layers

/// Names of a model's layers, with which flattened names of files can be read.
public struct LoRALayerNames {
  let tables: [LoRAComponent: LayerTable]

  /// The layers of models; their weights are not needed.
  public init(_ models: [LoRAComponent: any Module]) {
    tables = models.mapValues(LayerTable.init)
  }

  init(tables: [LoRAComponent: LayerTable]) {
    self.tables = tables
  }

  /// The dotted path of an adapter's layer, `nil` when there is no such layer.
  func path(of entry: LoRAEntry) -> String? {
    guard entry.isFlattened else {
      let isBare = entry.component != .unet && entry.module.hasPrefix("encoder.")
      return isBare ? "text_model." + entry.module : entry.module
    }
    return tables[entry.component]?.path(
      named: entry.module, isFlattened: true, component: entry.component)
  }
}

extension LoRAFile {
  /// Writes the adapters of the file under the names of another dialect.
  ///
  /// Without a new precision all bits are kept. A kernel between the matrices (Tucker) is
  /// multiplied into one of them, which rounds.
  ///
  /// - Parameters:
  ///   - path: the new file.
  ///   - dialect: its names.
  ///   - names: the layers of the model, which names of kohya's dialect are looked up in.
  ///   - precision: of the matrices; as they are when left out.
  /// - Returns: the number of adapters.
  /// - Throws: `LoRAError.unsupported` for forms that the dialect does not have, `.mismatch` for
  ///   layers that are not among `names`, or what is wrong with the file.
  public func convert(
    to path: String, as dialect: LoRAWriter.Dialect, names: LoRALayerNames,
    precision: SafetensorsEntry.Precision? = nil
  ) throws(LoRAError) -> Int {
    let scales = try LoRAScales(self)
    var (adapters, unmatched): ([StoredAdapter], [String]) = ([], [])
    for entry in entries {
      let needsName = entry.isFlattened && dialect != .kohya
      guard let layer = needsName ? names.path(of: entry) : names.path(of: entry) ?? entry.module
      else {
        unmatched += entry.allKeys
        continue
      }
      adapters.append(
        try stored(entry, at: layer, scales, as: dialect, precision: precision))
    }
    guard unmatched.isEmpty else {
      throw .mismatch(file: self.path, unmatched: unmatched, wrongShapes: [])
    }
    try LoRAWriter.write(
      adapters, to: path, as: dialect, alphaPrecision: precision ?? self.precision,
      metadata: lastingMetadata)
    return adapters.count
  }

  private func stored(
    _ entry: LoRAEntry, at path: String, _ scales: LoRAScales, as dialect: LoRAWriter.Dialect,
    precision: SafetensorsEntry.Precision?
  ) throws(LoRAError) -> StoredAdapter {
    let isKohya = self.dialect == .kohya && dialect == .kohya
    guard isKohya || [.lowRank, .tucker].contains(entry.form) else {
      throw .unsupported(file: self.path, kind: entry.form.rawValue, keys: entry.allKeys)
    }
    let shape = shape(.down, of: entry)
    let isFolded = entry.form == .tucker && !isKohya
    var (rank, alpha) = (rank(of: entry) ?? 0, try scales.alpha(of: entry) ?? 0)
    if isFolded {
      // The kernel goes into `down`, whose rank becomes that of `up`; alpha / rank stays.
      let outer = self.shape(.up, of: entry).dropFirst().first ?? rank
      if outer != rank { alpha = alpha / Float(max(1, rank)) * Float(outer) }
      rank = outer
    }
    var adapter = StoredAdapter(
      component: entry.component, path: path, rank: rank, alpha: alpha,
      isConvolution: shape.count == 4)
    if isFolded {
      try fold(entry, into: &adapter, precision ?? self.precision)
    }
    for (part, key) in entry.keys where part != .alpha && part != .mid {
      guard adapter.tensors[part] == nil else { continue }
      adapter.tensors[part] = try renamed(
        key, precision, shape: part == .magnitude ? magnitudeShape(entry, dialect) : nil)
    }
    if isKohya, let key = entry.keys[.mid] {
      adapter.tensors[.mid] = try renamed(key, precision, shape: nil)
    }
    return adapter
  }

  /// A tensor under a new name: its bytes, or its numbers in another precision.
  private func renamed(
    _ key: String, _ precision: SafetensorsEntry.Precision?, shape: Shape?
  ) throws(LoRAError) -> (String) -> SafetensorsEntry {
    let shape = shape ?? file.shape(of: key) ?? []
    let values = try read(key).reshaped(shape)
    if let precision {
      try LoRAWriter.check(values, fits: precision, key: key, path)
      return { SafetensorsEntry($0, values, as: precision) }
    }
    do throws(CheckpointError) {
      let (bytes, dtype) = (try file.bytes(key), file.dtype(of: key) ?? .f32)
      return { SafetensorsEntry($0, bytes: bytes, shape, dtype) }
    } catch { throw .checkpoint(error) }
  }

  /// Puts the two matrices of a Tucker form into an adapter.
  private func fold(
    _ entry: LoRAEntry, into adapter: inout StoredAdapter, _ precision: SafetensorsEntry.Precision
  ) throws(LoRAError) {
    let thin = try thinAdapter(entry, scale: 1)
    for (part, x) in [(LoRAKey.Part.down, thin.down), (.up, thin.up)] {
      try LoRAWriter.check(x, fits: precision, key: entry.keys[part] ?? "", path)
      adapter.tensors[part] = { SafetensorsEntry($0, x, as: precision) }
    }
  }

  /// The shape that a dialect gives the lengths of a layer's outputs; those of inputs stay.
  private func magnitudeShape(
    _ entry: LoRAEntry, _ dialect: LoRAWriter.Dialect
  ) throws(LoRAError) -> Shape {
    let found = shape(.magnitude, of: entry)
    let out = shape(.up, of: entry).first ?? 0
    let isConvolution = shape(.down, of: entry).count == 4
    let isOutputs =
      found.reduce(1, *) == out
      && (found.first == out || entry.keys[.magnitude]?.contains("magnitude_vector") == true)
    guard isOutputs else {
      guard dialect == .kohya else {
        throw .unsupported(
          file: path, kind: "DoRA with lengths of inputs", keys: [entry.keys[.magnitude] ?? ""])
      }
      return found
    }
    if dialect == .kohya { return isConvolution ? [out, 1, 1, 1] : [out, 1] }
    return isConvolution ? [1, out, 1, 1] : [out]
  }
}
