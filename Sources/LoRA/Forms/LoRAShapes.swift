import ComputeCore

/// Finds the tensors of an adapter whose shapes do not fit each other or the layer.
struct LoRAShapes {
  let file: LoRAFile
  let entry: LoRAEntry
  /// Shape of the layer's weight in a checkpoint: `[out, in]`, `[out, in, kh, kw]` or `[C]`.
  let weight: Shape
  /// Shape of the layer's bias; without one nothing is expected of a change of it.
  let bias: Shape?

  /// Parts between two matrices, which only their own four axes can tell apart.
  private static let kernels: Set<LoRAKey.Part> = [.mid, .hadaT1, .hadaT2, .lokrT2]

  private var out: Int { weight.first ?? 0 }
  private var taps: Shape { Array(weight.dropFirst(2)) }
  /// `[in, kh, kw]`.
  private var rest: Shape { Array(weight.dropFirst()) }

  /// One line for each tensor that does not fit, naming both shapes.
  func misfits() -> [String] {
    guard weight.count > 1 || [.difference, .norm].contains(entry.form) else {
      return entry.allKeys.map { "\($0) is for a matrix, the layer has \(weight)" }
    }
    var expected = weightParts()
    if let part = entry.biasPart, let bias { expected.append((part, bias)) }
    let wrong: [String] = expected.compactMap { part, shape in
      guard let key = entry.keys[part] else { return nil }
      let found = file.shape(part, of: entry)
      return fits(found, shape, isKernel: LoRAShapes.kernels.contains(part))
        ? nil : "\(key) is \(found), expected \(shape)"
    }
    return wrong + magnitudeMisfit()
  }

  private func size(_ part: LoRAKey.Part, _ axis: Int) -> Int {
    let shape = file.shape(part, of: entry)
    return axis < shape.count ? shape[axis] : 0
  }

  private func weightParts() -> [(LoRAKey.Part, Shape)] {
    switch entry.form {
    case .lowRank:
      let rank = max(1, size(.down, 0))
      return [(.down, [rank] + rest), (.up, [out, rank])]
    case .tucker:
      let (inner, outer) = (max(1, size(.down, 0)), max(1, size(.up, 1)))
      return [
        (.down, [inner, weight[1]]), (.mid, [outer, inner] + taps), (.up, [out, outer]),
      ]
    case .hadamard:
      return factor(.hadaW1A, .hadaW1B, kernel: .hadaT1, rows: out, columns: rest)
        + factor(.hadaW2A, .hadaW2B, kernel: .hadaT2, rows: out, columns: rest)
    case .kronecker: return kroneckerParts()
    case .difference: return [(.diff, weight)]
    case .norm: return [(.normWeight, weight)]
    }
  }

  /// Two factors of a matrix of `rows` and `columns`, perhaps with a kernel between them.
  private func factor(
    _ a: LoRAKey.Part, _ b: LoRAKey.Part, kernel: LoRAKey.Part?, rows: Int, columns: Shape
  ) -> [(LoRAKey.Part, Shape)] {
    if let kernel, entry.has(kernel) {
      let (first, second) = (max(1, size(a, 0)), max(1, size(b, 0)))
      return [
        (kernel, [first, second] + taps), (a, [first, rows]), (b, [second, columns[0]]),
      ]
    }
    let rank = max(1, size(b, 0))
    return [(a, [rows, rank]), (b, [rank] + columns)]
  }

  /// The first factor decides how rows and columns are shared out.
  private func kroneckerParts() -> [(LoRAKey.Part, Shape)] {
    let isWhole = entry.has(.lokrW1)
    let rows = max(1, size(isWhole ? .lokrW1 : .lokrW1A, 0))
    let columns = max(1, size(isWhole ? .lokrW1 : .lokrW1B, 1))
    // A first factor that does not divide the weight shows in the expected shape of the second.
    let inner = (rows: out / rows, columns: weight[1] / columns)
    let first =
      isWhole
      ? [(LoRAKey.Part.lokrW1, dividing(rows, columns))]
      : factor(
        .lokrW1A, .lokrW1B, kernel: nil, rows: dividing(rows, columns)[0],
        columns: [dividing(rows, columns)[1]])
    guard !entry.has(.lokrW2) else {
      return first + [(.lokrW2, [inner.rows, inner.columns] + taps)]
    }
    return first
      + factor(
        .lokrW2A, .lokrW2B, kernel: .lokrT2, rows: inner.rows, columns: [inner.columns] + taps)
  }

  /// The sizes of a first factor if they divide those of the weight, else the largest that do.
  private func dividing(_ rows: Int, _ columns: Int) -> Shape {
    func divisor(_ size: Int, of whole: Int) -> Int {
      (1...max(1, min(size, whole))).last { whole % $0 == 0 } ?? 1
    }
    return [divisor(rows, of: out), divisor(columns, of: weight[1])]
  }

  private func magnitudeMisfit() -> [String] {
    guard let key = entry.keys[.magnitude] else { return [] }
    let found = file.shape(.magnitude, of: entry)
    let perOutput = [out] + rest.map { _ in 1 }
    let perInput = [1, weight[1]] + taps.map { _ in 1 }
    let peft = [1, out] + taps.map { _ in 1 }
    let isFit =
      key.contains("lora_magnitude_vector")
      ? [[out], peft, perOutput].contains(found) : [[out], perOutput, perInput].contains(found)
    return isFit ? [] : ["\(key) is \(found), expected \(perOutput) or \(perInput)"]
  }
}

/// Whether a tensor of a file can fill a shape: equal but for a 1×1 kernel's axes, or, unless it is
/// a kernel between matrices, a matrix of the same rows and columns.
private func fits(_ found: Shape, _ expected: Shape, isKernel: Bool) -> Bool {
  if squeezed(found) == squeezed(expected) { return true }
  return !isKernel && found.count == 2 && expected.count > 2 && found[0] == expected[0]
    && found[1] == expected[1...].reduce(1, *)
}

/// A weight's shape without the axes that only a 1×1 convolution has.
private func squeezed(_ shape: Shape) -> Shape {
  shape.count == 4 && shape[2...] == [1, 1] ? Array(shape[..<2]) : shape
}
