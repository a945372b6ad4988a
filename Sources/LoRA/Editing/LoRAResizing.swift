import Checkpoints
import ComputeCore

/// What was left of an adapter when its rank was lowered.
public struct ResizedAdapter: Sendable {
  /// Name of its layer.
  public let name: String
  /// Ranks before and after.
  public let oldRank: Int
  /// Rank after.
  public let newRank: Int
  /// Share of the sum of singular values that was kept, 0 to 1.
  public let sumKept: Double
  /// Share of the Frobenius norm that was kept, 0 to 1.
  public let normKept: Double
}

/// The ranks that adapters may have at most, and how each is chosen.
public struct RankLimits: Sendable {
  /// The most a linear layer's or 1×1 convolution's adapter may have, at least 1.
  public let rank: Int
  /// The same for larger kernels.
  public let convolutionRank: Int
  /// How the rank of each is chosen.
  public let rule: RankRule

  /// - Throws: `LoRAError.invalidRequest` for ranks below 1 and rules that mean nothing.
  public init(
    rank: Int, convolutionRank: Int? = nil, rule: RankRule = .fixed
  ) throws(LoRAError) {
    for rank in [rank, convolutionRank ?? rank] where rank < 1 {
      throw .invalidRequest(found: "rank \(rank)", expected: "1 or more")
    }
    let isValid =
      switch rule {
      case .fixed: true
      case .ratio(let ratio): ratio.isFinite && ratio >= 1
      case .frobenius(let share), .cumulative(let share): share > 0 && share <= 1
      }
    guard isValid else {
      throw .invalidRequest(
        found: "\(rule)", expected: "a ratio of 1 or more, or a share above 0 and up to 1")
    }
    self.rank = rank
    self.convolutionRank = convolutionRank ?? rank
    self.rule = rule
  }
}

extension LoRAFile {
  /// Writes the file with adapters of lower rank, each the closest of its rank.
  ///
  /// `alpha / rank` stays what it was. Differences of norms and biases are kept. The dialect is
  /// kohya's if that of the file is, else diffusers'.
  ///
  /// - Parameters:
  ///   - path: the new file.
  ///   - limits: the ranks.
  ///   - precision: of the matrices; as in the file when left out.
  ///   - progress: is told how many adapters are done, of how many.
  /// - Returns: what was left of each adapter.
  /// - Throws: `LoRAError.unsupported` for forms without thin matrices, or what is wrong with the
  ///   file.
  public func resize(
    to path: String, limits: RankLimits, precision: SafetensorsEntry.Precision? = nil,
    progress: (_ done: Int, _ total: Int) -> Void = { _, _ in }
  ) throws(LoRAError) -> [ResizedAdapter] {
    let precision = precision ?? self.precision
    let scales = try LoRAScales(self)
    var thin: [(entry: LoRAEntry, adapter: ThinAdapter)] = []
    var stored: [StoredAdapter] = []
    for entry in entries {
      if [.difference, .norm].contains(entry.form) {
        stored.append(try LoRASum(entry, in: self, weight: 1).stored(precision, path))
      } else {
        thin.append((entry, try thinAdapter(entry, scale: try scales.scale(of: entry))))
      }
    }
    let results = LowerRank.all(thin.map(\.adapter), limits: limits, progress: progress)
    for ((entry, adapter), result) in zip(thin, results) {
      var new = StoredAdapter(
        component: entry.component, path: entry.module, rank: result.rank,
        alpha: adapter.scale * Float(result.rank), isConvolution: adapter.down.shape.count == 4)
      try new.put(.down, result.down, precision, path)
      try new.put(.up, result.up, precision, path)
      if let part = entry.biasPart, let key = entry.keys[part] {
        try new.put(part, try read(key), precision, path)
      }
      stored.append(new)
    }
    var metadata = lastingMetadata
    let old = Set(thin.map(\.adapter.rank)).sorted().map(String.init).joined(separator: ", ")
    let comment = metadata["ss_training_comment"].map { "; \($0)" } ?? ""
    metadata["ss_training_comment"] =
      "dimension is resized from \(old) to \(limits.rank) (\(limits.rule))\(comment)"
    try LoRAWriter.write(
      stored, to: path, as: dialect == .kohya ? .kohya : .diffusers, alphaPrecision: precision,
      metadata: metadata)
    return zip(thin, results).map { old, new in
      ResizedAdapter(
        name: "\(old.entry.component.diffusersPrefix)\(old.entry.module)",
        oldRank: old.adapter.rank, newRank: new.rank, sumKept: new.sumKept,
        normKept: new.normKept)
    }
  }
}

extension StoredAdapter {
  /// Gives it a tensor, which must be one that the precision can hold.
  mutating func put(
    _ part: LoRAKey.Part, _ x: Tensor, _ precision: SafetensorsEntry.Precision, _ file: String
  ) throws(LoRAError) {
    try LoRAWriter.check(x, fits: precision, key: "\(path).\(part.rawValue)", file)
    tensors[part] = { SafetensorsEntry($0, x, as: precision) }
  }
}

/// An adapter after its rank was lowered.
struct LowerRank {
  let down: Tensor
  let up: Tensor
  let sumKept: Double
  let normKept: Double

  var rank: Int { down.shape[0] }

  /// The closest adapter of the rank that the limits give; the scale stays apart.
  init(_ adapter: ThinAdapter, limits: RankLimits) {
    let product = ThinProduct(
      up: Matrix(matrix(adapter.up)), down: Matrix(matrix(adapter.down)))
    let values = product.values
    let rank = limits.rule.rank(
      for: values, limit: adapter.isConvolution ? limits.convolutionRank : limits.rank)
    let (up, down) = product.truncated(to: rank)
    self.down = down.tensor([rank] + adapter.down.shape.dropFirst())
    self.up = up.tensor([adapter.up.shape[0], rank] + adapter.up.shape.dropFirst(2))
    func share(_ power: (Double) -> Double) -> Double {
      let whole = values.reduce(0) { $0 + power($1) }
      return whole > 0 ? values[..<rank].reduce(0) { $0 + power($1) } / whole : 1
    }
    sumKept = share { $0 }
    normKept = share { $0 * $0 }.squareRoot()
  }

  /// All adapters, as many at a time as there are threads.
  static func all(
    _ adapters: [ThinAdapter], limits: RankLimits, progress: (Int, Int) -> Void
  ) -> [LowerRank] {
    var results: [LowerRank?] = Array(repeating: nil, count: adapters.count)
    let step = max(1, 2 * Compute.current.threads)
    progress(0, adapters.count)
    for start in stride(from: 0, to: adapters.count, by: step) {
      let count = min(step, adapters.count - start)
      results.withUnsafeMutableBufferPointer { results in
        let target = results.baseAddress
        ThreadPool.shared.run(items: count) { item in
          target?[start + item] = LowerRank(adapters[start + item], limits: limits)
        }
      }
      progress(start + count, adapters.count)
    }
    return results.compactMap(\.self)
  }
}
