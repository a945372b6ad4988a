import CKernels

/// The right factor of a gradient by the input, as a view of the weight packed for the forward
/// product: its panels are made from that when they are used, in the cache.
///
/// So a frozen weight is in memory once, also where gradients pass through its layer. Where many rows
/// are multiplied by the same panels, all of them are made first. For `bfloat16` factors.
struct TurnedFactor {
  /// The weight as the forward product reads it.
  let forward: PackedFactor
  /// Taps of the kernel, which are taken in reverse order; 1 for a linear layer.
  ///
  /// Each is `[inputs, outputs]`, padded to an even number of rows.
  var taps = 1
  /// Columns of this factor.
  let inputs: Int

  private var outputs: Int { forward.columns }
  private var rowsPerTap: Int { FactorType.bfloat16.padded(outputs) }

  /// Rows of this factor.
  var k: Int { taps * rowsPerTap }

  /// Makes panels at `target`.
  func fill(_ target: UnsafeMutableRawPointer, panels: Range<Int>) {
    let channels = forward.k / taps
    for tap in 0..<taps {
      ck_turn_panels_bf16(
        target.assumingMemoryBound(to: UInt16.self), k, tap * rowsPerTap,
        forward.pointer.assumingMemoryBound(to: UInt16.self), forward.k,
        (taps - 1 - tap) * channels, inputs, outputs, panels.lowerBound, panels.upperBound)
    }
  }

  /// Makes panels of every place of Winograd's algorithm, `plane` elements apart.
  ///
  /// Turning a kernel upside down and from left to right exchanges the first and the last of its four
  /// transformed rows and columns.
  func fillWinograd(_ target: UnsafeMutableRawPointer, plane: Int, panels: Range<Int>) {
    let turned = [3, 1, 2, 0]
    for place in 0..<Int(CK_WINOGRAD_PLACES) {
      let source = 4 * turned[place / 4] + turned[place % 4]
      ck_turn_panels_bf16(
        target.assumingMemoryBound(to: UInt16.self) + place * plane, k, 0,
        forward.pointer.assumingMemoryBound(to: UInt16.self) + source * forward.plane, forward.k,
        0, inputs, outputs, panels.lowerBound, panels.upperBound)
    }
  }
}

extension Tensor {
  /// This weight for the gradient by its layer's input, if it is frozen and packed for `use` already.
  ///
  /// `rows` is how many rows, or tiles of Winograd's algorithm, it is to be multiplied with.
  func turned(_ use: WeightUse, _ type: FactorType, taps: Int = 1, inputs: Int, rows: Int)
    -> PackedFactor?
  {
    guard !isRecorded, type == .bfloat16,
      let forward = storage.packedForms.known(use, type, shape)
    else { return nil }
    let turned = TurnedFactor(forward: forward, taps: taps, inputs: inputs)
    let isUsedOnce = rows <= (use == .winogradForward(side: 2) ? winogradTilesPerBlock : 256)
    return isUsedOnce ? PackedFactor(turned) : PackedFactor(making: turned)
  }
}
