import Checkpoints
import ComputeCore

/// An adapter of two matrices in memory.
struct ThinAdapter {
  /// `[rank, in]` or `[rank, in, kh, kw]`.
  let down: Tensor
  /// `[out, rank]` or `[out, rank, 1, 1]`.
  let up: Tensor
  /// The factor of their product.
  let scale: Float

  var rank: Int { down.shape[0] }
  /// Whether it belongs to a convolution of more than one tap.
  var isConvolution: Bool { down.shape.count == 4 && down.shape[2...] != [1, 1] }
}

extension LoRAFile {
  /// The matrices of an adapter, a kernel between them multiplied out.
  ///
  /// - Throws: `LoRAError.unsupported` for other forms, and where lengths are kept apart, because
  ///   these belong to one base weight.
  func thinAdapter(_ entry: LoRAEntry, scale: Float) throws(LoRAError) -> ThinAdapter {
    guard [.lowRank, .tucker].contains(entry.form), !entry.hasMagnitude else {
      throw .unsupported(
        file: path, kind: entry.hasMagnitude ? "DoRA" : entry.form.rawValue, keys: entry.allKeys)
    }
    let (down, up) = (shape(.down, of: entry), shape(.up, of: entry))
    let kernel = shape(.mid, of: entry)
    guard down.count == up.count, [2, 4].contains(down.count), !(down + up + kernel).contains(0),
      up[2...].allSatisfy({ $0 == 1 }), kernel.isEmpty || down[2...].allSatisfy({ $0 == 1 }),
      kernel.isEmpty
        ? up[1] == down[0] : kernel.count == 4 && kernel[..<2] == [up[1], down[0]]
    else {
      throw .mismatch(
        file: path, unmatched: [],
        wrongShapes: ["\(entry.module): down is \(down), up is \(up), kernel is \(kernel)"])
    }
    for (part, key) in entry.keys where part != .alpha { _ = try read(key) }
    let change = WeightChange(entry, in: self, scale: scale, shape: [])
    do throws(CheckpointError) {
      let thin = try exactly { () throws(CheckpointError) in try change.thinFactors() }
      let taps = kernel.isEmpty ? Array(down.dropFirst(2)) : Array(kernel.dropFirst(2))
      return ThinAdapter(
        down: thin.down.reshaped([up[1], down[1]] + taps), up: thin.up.reshaped(up), scale: scale)
    } catch { throw .checkpoint(error) }
  }
}
