import CKernels

/// `geglu(x · weightᵀ + bias)` of type `type`, where panels do not mix values and gates.
///
/// Values and gates of the same channels are computed together and gated in the cache, so the wide
/// result between the two steps does not exist. Numbers are those of the two steps one after the other.
func gatedLinear(
  _ x: Tensor, _ weight: Tensor, _ bias: Tensor?, _ sizes: LinearSizes, shape: Shape,
  _ type: FactorType
) -> Tensor {
  let width = sizes.outputs / 2
  let y = Tensor(uninitialized: shape, dtype: type.dtype)
  let panelColumns = ck_gemm_panel()
  let panels = width / panelColumns
  withLinearFactors(x, weight, sizes, type) { all, packed in
    let pairBytes = 2 * packed.k * panelColumns * all.type.byteCount
    let panelsPerItem = min(panels, max(1, (384 << 10) / max(1, pairBytes)))
    let rowsPerItem = min(256, max(32, (sizes.rows + 3) / 4))
    let across = (panels + panelsPerItem - 1) / panelsPerItem
    let down = (sizes.rows + rowsPerItem - 1) / rowsPerItem
    ThreadPool.shared.run(items: across * down) { item in
      let (row, panel) = (item % down * rowsPerItem, item / down * panelsPerItem)
      let rows = all.part(row, count: min(rowsPerItem, sizes.rows - row))
      let values = panel..<min(panels, panel + panelsPerItem)
      let columns = values.count * panelColumns
      let both = Storage(byteCount: rows.rowsPerLine * 2 * columns * type.byteCount)
      for (first, place) in [(values.lowerBound, 0), (panels + values.lowerBound, columns)] {
        // Panels are written at their own columns, of which the first is at `place`.
        var target = ProductTarget(
          both, type, offset: place - first * panelColumns, stride: 2 * columns)
        target.bias = bias.map { UnsafePointer($0.pointer) }
        product(
          rows, packed.pointer, columns: sizes.outputs, panels: first..<first + values.count,
          into: target)
      }
      gate(
        both, columns, into: y, at: row * width + values.lowerBound * panelColumns, stride: width,
        rows: rows.rowsPerLine)
    }
  }
  withExtendedLifetime((x, bias)) {}
  return y
}

/// `geglu` of dense `rows` of `2 · columns` numbers, `stride` apart in `y` from number `start` on.
private func gate(
  _ both: Storage, _ columns: Int, into y: Tensor, at start: Int, stride: Int, rows: Int
) {
  for row in 0..<rows {
    let (source, target) = (row * 2 * columns, start + row * stride)
    switch y.dtype {
    case .float32:
      let numbers = both.pointer.assumingMemoryBound(to: Float.self)
      ck_geglu_f32(y.pointer + target, numbers + source, 1, columns)
    case .bfloat16:
      let numbers = both.pointer.assumingMemoryBound(to: UInt16.self)
      ck_geglu_bf16(y.bfloat16Pointer + target, numbers + source, 1, columns)
    }
  }
  withExtendedLifetime(both) {}
}
