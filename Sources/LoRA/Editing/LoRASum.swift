import Checkpoints
import ComputeCore

/// What several files do to one layer together, as tensors of one adapter.
struct LoRASum {
  let component: LoRAComponent
  /// Name of the layer in the first of the files.
  let module: String
  private var thin: [(adapter: ThinAdapter, weight: Float)] = []
  /// Differences and biases.
  private var plain: [LoRAKey.Part: Tensor] = [:]

  /// An adapter alone, times a weight.
  ///
  /// - Parameters:
  ///   - entry: the adapter.
  ///   - file: where it is.
  ///   - weight: its factor.
  ///   - module: the name that it gets; its own when left out.
  /// - Throws: `LoRAError.unsupported` for forms whose sum has no such form.
  init(
    _ entry: LoRAEntry, in file: LoRAFile, weight: Float, module: String? = nil
  ) throws(LoRAError) {
    component = entry.component
    self.module = module ?? entry.module
    try add(entry, in: file, weight: weight)
  }

  /// Adds another file's adapter for the same layer.
  mutating func add(
    _ entry: LoRAEntry, in file: LoRAFile, weight: Float
  ) throws(LoRAError) {
    let scale = try LoRAScales(file).scale(of: entry)
    if ![.difference, .norm].contains(entry.form) {
      thin.append((try file.thinAdapter(entry, scale: scale), weight))
    }
    for part in [LoRAKey.Part.diff, .normWeight, .diffBias, .normBias, .upBias] {
      guard let key = entry.keys[part] else { continue }
      let x = try file.read(key) * (part == .upBias ? weight * scale : weight)
      // A bias on the up projection is a difference of the layer's bias once the scale is in it.
      let target = part == .upBias ? LoRAKey.Part.diffBias : part
      guard let sum = plain[target] else {
        plain[target] = x
        continue
      }
      guard sum.shape == x.shape else { throw misfit(file, sum.shape, x.shape) }
      plain[target] = sum + x
    }
    if let first = thin.first?.adapter, let last = thin.last?.adapter {
      let (a, b) = (first.down.shape.dropFirst(), last.down.shape.dropFirst())
      let isSame = squeezed(a) == squeezed(b) && first.up.shape[0] == last.up.shape[0]
      guard isSame else { throw misfit(file, first.down.shape, last.down.shape) }
    }
  }

  private func misfit(_ file: LoRAFile, _ first: Shape, _ second: Shape) -> LoRAError {
    .mismatch(
      file: file.path, unmatched: [],
      wrongShapes: ["\(module) is \(second), expected \(first), as in the files before"])
  }

  /// The matrices of all files side by side, with all factors in `up`: the exact sum.
  var concatenated: ThinAdapter? {
    guard let first = thin.first?.adapter else { return nil }
    return exactly {
      let rank = thin.reduce(0) { $0 + $1.adapter.rank }
      let downs = thin.map { matrix($0.adapter.down) }
      let ups = thin.map { matrix($0.adapter.up) * ($0.weight * $0.adapter.scale) }
      return ThinAdapter(
        down: Tensor(downs.flatMap(\.values), [rank] + first.down.shape.dropFirst()),
        up: LoRASum.sideBySide(ups).reshaped(
          [first.up.shape[0], rank] + first.up.shape.dropFirst(2)),
        scale: 1)
    }
  }

  /// The sum as an adapter with `alpha` = rank; `lowered`, if given, takes the place of the
  /// concatenated matrices.
  func stored(
    _ precision: SafetensorsEntry.Precision, _ file: String, lowered: LowerRank? = nil
  ) throws(LoRAError) -> StoredAdapter {
    let sum = concatenated
    let (down, up) = (lowered?.down ?? sum?.down, lowered?.up ?? sum?.up)
    let rank = down?.shape[0] ?? 0
    var stored = StoredAdapter(
      component: component, path: module, rank: rank, alpha: Float(rank),
      isConvolution: down?.shape.count == 4)
    if let down { try stored.put(.down, down, precision, file) }
    if let up { try stored.put(.up, up, precision, file) }
    for (part, x) in plain { try stored.put(part, x, precision, file) }
    return stored
  }

  private static func sideBySide(_ parts: [Tensor]) -> Tensor {
    let rows = parts[0].shape[0]
    let columns = parts.reduce(0) { $0 + $1.shape[1] }
    let y = Tensor(uninitialized: [rows, columns])
    withExtendedLifetime(parts) {
      for row in 0..<rows {
        var column = 0
        for part in parts {
          let width = part.shape[1]
          (y.pointer + row * columns + column).update(
            from: part.pointer + row * width, count: width)
          column += width
        }
      }
    }
    return y
  }
}

/// Sizes without those of a 1×1 kernel.
private func squeezed(_ shape: ArraySlice<Int>) -> [Int] {
  shape.count == 3 && Array(shape.dropFirst()) == [1, 1] ? [shape.first ?? 0] : Array(shape)
}

/// One file of several that are to become one.
public struct WeightedLoRA {
  /// The adapters.
  public let file: LoRAFile
  /// Factor of those of the U-Net.
  public let weight: Float
  /// Factor of those of the text encoders.
  public let textWeight: Float

  /// A file with its weights; the text encoder's is that of the U-Net when left out.
  public init(_ file: LoRAFile, weight: Float = 1, textWeight: Float? = nil) {
    self.file = file
    self.weight = weight
    self.textWeight = textWeight ?? weight
  }

  func weight(of component: LoRAComponent) -> Float {
    component == .unet ? weight : textWeight
  }
}

extension LoRAWriter {
  /// Writes several files as one in kohya's dialect, which does what all do together.
  ///
  /// Ranks add up, which is exact but for rounding, unless they are limited.
  ///
  /// - Parameters:
  ///   - sources: the files with their weights, at least one.
  ///   - path: the new file.
  ///   - limits: the ranks of the result; the sums of the files' when left out.
  ///   - precision: of the matrices; the most precise of the files when left out.
  ///   - progress: is told how many adapters are done, of how many.
  /// - Returns: what was left of each adapter, when ranks were limited.
  /// - Throws: `LoRAError.unsupported` for forms without thin matrices, `.mismatch` for files of
  ///   different models, or what is wrong with a file.
  public static func merge(
    _ sources: [WeightedLoRA], to path: String, limits: RankLimits? = nil,
    precision: SafetensorsEntry.Precision? = nil,
    progress: (_ done: Int, _ total: Int) -> Void = { _, _ in }
  ) throws(LoRAError) -> [ResizedAdapter] {
    let found = Set(sources.map(\.file.precision))
    let precision = precision ?? (found.count == 1 ? sources[0].file.precision : .f32)
    let names = LoRALayerNames(tables: [:])
    var sums: [String: LoRASum] = [:]
    for source in sources {
      for entry in source.file.entries {
        let module = names.path(of: entry) ?? entry.module
        let name = entry.component.kohyaPrefix + LayerTable.flattened(module)
        let weight = source.weight(of: entry.component)
        if sums[name] == nil {
          sums[name] = try LoRASum(
            entry, in: source.file, weight: weight, module: module)
        } else {
          try sums[name]?.add(entry, in: source.file, weight: weight)
        }
      }
    }
    let ordered = sums.sorted { $0.key < $1.key }
    var lowered: [String: (old: Int, new: LowerRank)] = [:]
    if let limits {
      let thin = ordered.compactMap { item in item.value.concatenated.map { (item.key, $0) } }
      let results = LowerRank.all(thin.map(\.1), limits: limits, progress: progress)
      for ((name, old), new) in zip(thin, results) { lowered[name] = (old.rank, new) }
    }
    var stored: [StoredAdapter] = []
    for (name, sum) in ordered {
      stored.append(try sum.stored(precision, path, lowered: lowered[name]?.new))
    }
    try write(
      stored, to: path, as: .kohya, alphaPrecision: precision, metadata: mergedMetadata(sources))
    return lowered.sorted { $0.key < $1.key }.map { name, result in
      ResizedAdapter(
        name: name, oldRank: result.old, newRank: result.new.rank, sumKept: result.new.sumKept,
        normKept: result.new.normKept)
    }
  }

  /// What all files say alike, and a comment that names them.
  private static func mergedMetadata(_ sources: [WeightedLoRA]) -> [String: String] {
    var common = sources.first?.file.lastingMetadata ?? [:]
    for source in sources.dropFirst() {
      common = common.filter { source.file.metadata[$0.key] == $0.value }
    }
    let parts = sources.map { source in
      let name = source.file.path.split(separator: "/").last.map(String.init) ?? source.file.path
      return "\(name):\(source.weight)"
        + (source.weight == source.textWeight ? "" : ":te=\(source.textWeight)")
    }
    common["ss_training_comment"] = "merged from " + parts.joined(separator: ", ")
    return common
  }
}
