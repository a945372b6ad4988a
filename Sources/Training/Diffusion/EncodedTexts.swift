import ComputeCore
import Pipelines

/// The states of all texts of a data set, computed once with a frozen encoder.
///
/// Half of the memory of 32-bit numbers: states are kept in bfloat16.
package struct EncodedTexts {
  private let index: [String: Int]
  private let states: Tensor  // [texts, tokens, channels], bfloat16
  private let masks: [Float]?  // [texts, tokens]
  private let tokens: Int
  private let channels: Int

  /// Encodes every distinct text.
  ///
  /// - Parameters:
  ///   - texts: may repeat.
  ///   - conditioner: the frozen encoder.
  ///   - progress: called with the number of texts done and in all.
  package init(
    _ texts: [String], _ conditioner: any TextConditioner,
    progress: (Int, Int) -> Void = { _, _ in }
  ) {
    var index: [String: Int] = [:]
    var distinct: [String] = []
    for text in texts where index[text] == nil {
      index[text] = distinct.count
      distinct.append(text)
    }
    let batch = 64
    var parts: [Tensor] = []
    var masks: [Float]? = []
    for start in stride(from: 0, to: distinct.count, by: batch) {
      let end = min(distinct.count, start + batch)
      let encoded = Compute.withoutRecording { conditioner.encode(Array(distinct[start..<end])) }
      parts.append(encoded.states.cast(to: .bfloat16))
      masks = encoded.mask.flatMap { mask in masks.map { $0 + mask.values } }
      progress(end, distinct.count)
    }
    (tokens, channels) = (conditioner.tokens, conditioner.channels)
    states = joinedBFloat16(parts, [distinct.count, tokens, channels])
    self.index = index
    self.masks = masks
  }

  /// The conditioning of a batch of texts that were all encoded.
  package func conditioning(_ texts: [String]) -> Conditioning {
    let rows = texts.map { text -> Int in
      guard let row = index[text] else {
        preconditionFailure("the text \"\(text)\" is not encoded")
      }
      return row
    }
    let size = tokens * channels
    let picked = Tensor(uninitialized: [rows.count, tokens, channels], dtype: .bfloat16)
    for (place, row) in rows.enumerated() {
      (picked.bfloat16Pointer + place * size).update(
        from: states.bfloat16Pointer + row * size, count: size)
    }
    let mask = masks.map { masks in
      Tensor(
        rows.flatMap { masks[$0 * tokens..<($0 + 1) * tokens] }, [rows.count, tokens])
    }
    return Conditioning(states: picked.cast(to: .float32), mask: mask)
  }
}

/// One tensor of the rows of several.
private func joinedBFloat16(_ parts: [Tensor], _ shape: Shape) -> Tensor {
  let joined = Tensor(uninitialized: shape, dtype: .bfloat16)
  var offset = 0
  for part in parts {
    (joined.bfloat16Pointer + offset).update(from: part.bfloat16Pointer, count: part.count)
    offset += part.count
  }
  return joined
}
