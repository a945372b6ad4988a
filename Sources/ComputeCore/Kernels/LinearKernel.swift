import CKernels

/// Sizes of a linear layer: `[rows, inputs]` → `[rows, outputs]`.
struct LinearSizes {
  let rows: Int
  let inputs: Int
  let outputs: Int
}

/// `y = x · weightᵀ + bias + residual`, of `output` type where the products are `bfloat16` ones.
///
/// `x` holds `[rows, inputs]` in either type, `weight` `[outputs, inputs]`; `shape` is the result's.
func linearForward(
  _ x: Tensor, _ weight: Tensor, _ bias: Tensor?, _ residual: Tensor?, _ sizes: LinearSizes,
  shape: Shape, output: DType
) -> Tensor {
  let type = FactorType.current
  let y = Tensor(uninitialized: shape, dtype: type == .bfloat16 ? output : .float32)
  var target = ProductTarget(y, offset: 0, stride: sizes.outputs)
  target.bias = bias.map { UnsafePointer($0.pointer) }
  target.residual = residual.map { UnsafePointer($0.pointer) }
  withLinearFactors(x, weight, sizes, type) { parallelProduct($0, $1, into: target) }
  withExtendedLifetime((x, y, bias, residual)) {}
  return y.cast(to: output)
}

/// The factors of a layer's forward product, of type `type`, or both in two bfloat16 parts where
/// `high` is asked for and that is the faster way.
func withLinearFactors(
  _ x: Tensor, _ weight: Tensor, _ sizes: LinearSizes, _ type: FactorType,
  _ body: (FactorRows, PackedFactor) -> Void
) {
  if type == .float32 && SplitFactors.areUsed(for: weight) {
    let rows = SplitFactors.rows(of: x.cast(to: .float32), count: sizes.rows, k: sizes.inputs)
    body(rows.rows, SplitFactors.packed(weight))
    withExtendedLifetime(rows.storage) {}
  } else {
    let packed = packedForForward(weight, type)
    withMatrixRows(x, count: sizes.rows, k: sizes.inputs, type) { body($0, packed) }
  }
}

/// `weight` `[outputs, inputs]` as the right factor of its layer.
private func packedForForward(_ weight: Tensor, _ type: FactorType) -> PackedFactor {
  let (outputs, inputs) = (weight.shape[0], weight.shape[1])
  return weight.packed(.forward, type) { lasts in
    let w = weight.forPacking
    return withExtendedLifetime(w) {
      PackedFactor(
        k: type.padded(inputs), columns: outputs, type: type, lasts: lasts,
        pieces: [
          FactorPiece(pointer: w.pointer, kOffset: 0, k: inputs, kStride: 1, nStride: inputs)
        ])
    }
  }
}

/// A matrix `[count, k]` as rows: in place if it has the type of the factors, else a copy.
private func withMatrixRows(
  _ x: Tensor, count: Int, k: Int, _ type: FactorType, _ body: (FactorRows) -> Void
) {
  if x.dtype == type.dtype && k == type.padded(k) {
    body(
      FactorRows(
        pointer: UnsafeRawPointer(x.storage.pointer), type: type, rowStride: k, rowsPerLine: count,
        segmentLength: k))
    return
  }
  guard type == .bfloat16 else {
    let source = x.cast(to: .float32)
    body(
      FactorRows(
        pointer: UnsafeRawPointer(source.pointer), type: type, rowStride: k, rowsPerLine: count,
        segmentLength: k))
    withExtendedLifetime(source) {}
    return
  }
  let copy = PaddedActivation(
    x, images: 1, 1, count, k, height: 1, width: count, top: 0, left: 0, type: type)
  body(
    FactorRows(
      pointer: UnsafeRawPointer(copy.storage.pointer), type: type, rowStride: copy.channels,
      rowsPerLine: count, segmentLength: copy.channels))
  withExtendedLifetime(copy) {}
}

/// Gradients of a linear layer by `x` (its type), `weight` and `bias`; `nil` where not wanted.
///
/// Goes through `dy` once, in portions that fit the cache: each becomes the factors of both
/// products and is added up for the bias.
func linearGradients(
  _ dy: Tensor, _ x: Tensor, _ weight: Tensor, _ sizes: LinearSizes,
  needs: (x: Bool, weight: Bool, bias: Bool)
) -> (dx: Tensor?, dw: Tensor?, db: Tensor?) {
  let type = FactorType.current
  let (dy, source) =
    type == .bfloat16 ? (dy, x) : (dy.cast(to: .float32), x.cast(to: .float32))
  let dx = needs.x ? Tensor(uninitialized: x.shape, dtype: source.dtype) : nil
  let dw = needs.weight ? Tensor(uninitialized: weight.shape) : nil
  let factors = LinearGradientFactors(
    dy, source, sizes, type, needs: (needs.x, needs.weight, needs.bias))
  let packed = needs.x ? packedForInputGradient(weight, sizes, type) : nil
  for start in stride(from: 0, to: sizes.rows, by: LinearGradientFactors.portionRows) {
    let portion = start..<min(sizes.rows, start + LinearGradientFactors.portionRows)
    factors.fill(portion)
    if let dx, let packed {
      parallelProduct(
        factors.gradientRows(portion), packed,
        into: ProductTarget(dx, offset: start * sizes.inputs, stride: sizes.inputs))
    }
    if let dw { factors.addWeightGradient(to: dw, portion) }
  }
  if sizes.rows == 0, let dw { ck_fill_f32(dw.pointer, 0, dw.count) }
  return (dx?.cast(to: x.dtype), dw, needs.bias ? factors.biasGradient() : nil)
}

private func packedForInputGradient(_ weight: Tensor, _ sizes: LinearSizes, _ type: FactorType)
  -> PackedFactor
{
  if let turned = weight.turned(.forward, type, inputs: sizes.inputs, rows: sizes.rows) {
    return turned
  }
  return weight.packed(.inputGradient, type) { lasts in
    let w = weight.forPacking
    return withExtendedLifetime(w) {
      PackedFactor(
        k: type.padded(sizes.outputs), columns: sizes.inputs, type: type, lasts: lasts,
        pieces: [
          FactorPiece(
            pointer: w.pointer, kOffset: 0, k: sizes.outputs, kStride: sizes.inputs, nStride: 1)
        ])
    }
  }
}

/// What the gradients of a linear layer multiply, for one portion of rows at a time.
private struct LinearGradientFactors {
  static let portionRows = 1_024
  private static let rowsPerItem = 64

  private let dy: Tensor
  private let x: Tensor
  private let sizes: LinearSizes
  private let type: FactorType
  private let room: Int
  /// `dy` as rows in the factor type, where it is not that already.
  private let rows: Storage?
  /// `dy` and `x` as the factors of the gradient by the weight.
  private let panels: (left: Storage, right: Storage)?
  /// Sums of `dy` over every `rowsPerItem` rows, `[items, outputs]`.
  private let sums: Tensor?

  init(
    _ dy: Tensor, _ x: Tensor, _ sizes: LinearSizes, _ type: FactorType,
    needs: (x: Bool, weight: Bool, bias: Bool)
  ) {
    (self.dy, self.x, self.sizes, self.type) = (dy, x, sizes, type)
    let room = type.padded(min(sizes.rows, LinearGradientFactors.portionRows))
    self.room = room
    let isInPlace = dy.dtype == type.dtype && type.padded(sizes.outputs) == sizes.outputs
    rows =
      needs.x && !isInPlace
      ? Storage(byteCount: room * type.padded(sizes.outputs) * type.byteCount) : nil
    func storage(_ channels: Int, _ width: Int) -> Storage {
      Storage(byteCount: (channels + width - 1) / width * width * room * type.byteCount)
    }
    panels =
      needs.weight
      ? (storage(sizes.outputs, Int(CK_ROW_PANEL)), storage(sizes.inputs, ck_gemm_panel())) : nil
    let items =
      (sizes.rows + LinearGradientFactors.rowsPerItem - 1) / LinearGradientFactors.rowsPerItem
    sums = needs.bias ? Tensor(uninitialized: [items, sizes.outputs]) : nil
  }

  /// Makes the factors of a portion.
  func fill(_ portion: Range<Int>) {
    guard rows != nil || panels != nil || sums != nil else { return }
    let step = LinearGradientFactors.rowsPerItem
    ThreadPool.shared.run(items: (portion.count + step - 1) / step) { item in
      let first = item * step
      let range =
        portion.lowerBound + first..<min(portion.upperBound, portion.lowerBound + first + step)
      fillGradient(range, row: first)
      fillInput(range, row: first)
    }
  }

  private func fillGradient(_ range: Range<Int>, row: Int) {
    let outputs = sizes.outputs
    let sums = sums.map {
      $0.pointer + range.lowerBound / LinearGradientFactors.rowsPerItem * outputs
    }
    let offset = row * Int(CK_ROW_PANEL)
    guard type == .bfloat16 else {
      let source = dy.pointer + range.lowerBound * outputs
      if let panels {
        ck_pack_panels_f32(
          panels.left.pointer.assumingMemoryBound(to: Float.self) + offset, room,
          Int(CK_ROW_PANEL), source, outputs, range.count, outputs)
      }
      if let sums { ck_sum_columns_f32(sums, source, 1, range.count, outputs, outputs) }
      return
    }
    let padded = type.padded(outputs)
    var call = ck_gradient_t(
      panels: panels.map { $0.left.pointer.assumingMemoryBound(to: UInt16.self) + offset },
      panel_k: room, width: Int(CK_ROW_PANEL),
      rows: rows.map { $0.pointer.assumingMemoryBound(to: UInt16.self) + row * padded },
      rows_stride: padded, sums: sums)
    if dy.dtype == .bfloat16 {
      ck_pack_gradient_bf16(
        &call, dy.bfloat16Pointer + range.lowerBound * outputs, range.count, outputs)
    } else {
      ck_pack_gradient(&call, dy.pointer + range.lowerBound * outputs, range.count, outputs)
    }
  }

  private func fillInput(_ range: Range<Int>, row: Int) {
    guard let panels else { return }
    let (inputs, width) = (sizes.inputs, ck_gemm_panel())
    let (target, start) = (
      panels.right.pointer + row * width * type.byteCount, range.lowerBound * inputs
    )
    switch (type, x.dtype) {
    case (.float32, _):
      ck_pack_panels_f32(
        target.assumingMemoryBound(to: Float.self), room, width, x.pointer + start, inputs,
        range.count, inputs)
    case (.bfloat16, .float32):
      ck_pack_panels_bf16(
        target.assumingMemoryBound(to: UInt16.self), room, width, x.pointer + start, inputs,
        range.count, inputs)
    case (.bfloat16, .bfloat16):
      ck_pack_panels_rows_bf16(
        target.assumingMemoryBound(to: UInt16.self), room, width, x.bfloat16Pointer + start,
        inputs, range.count, inputs)
    }
  }

  /// `dy` of the portion as the rows of a left factor.
  func gradientRows(_ portion: Range<Int>) -> FactorRows {
    let stride = type.padded(sizes.outputs)
    let pointer =
      rows.map { UnsafeRawPointer($0.pointer) }
      ?? UnsafeRawPointer(dy.storage.pointer) + portion.lowerBound * stride * type.byteCount
    return FactorRows(
      pointer: pointer, type: type, rowStride: stride, rowsPerLine: portion.count,
      segmentLength: stride)
  }

  /// `dw += dyᵀ · x` over the portion; the first one sets it.
  func addWeightGradient(to dw: Tensor, _ portion: Range<Int>) {
    guard let panels else { return }
    let (outputs, inputs) = (sizes.outputs, sizes.inputs)
    let (rowsPerItem, columnsPerItem) = (32, 4 * ck_gemm_panel())
    let across = (inputs + columnsPerItem - 1) / columnsPerItem
    let down = (outputs + rowsPerItem - 1) / rowsPerItem
    ThreadPool.shared.run(items: across * down) { item in
      let (i, j) = (item / across * rowsPerItem, item % across * columnsPerItem)
      var product = ck_gemm_panels_t(
        a: panels.left.pointer + i * room * type.byteCount,
        b: panels.right.pointer + j * room * type.byteCount, rows: min(rowsPerItem, outputs - i),
        columns: min(columnsPerItem, inputs - j), k: type.padded(portion.count), a_panel_k: room,
        b_panel_k: room, c: dw.pointer + i * inputs + j, c_stride: inputs,
        accumulate: portion.lowerBound > 0 ? 1 : 0)
      switch type {
      case .float32: ck_gemm_panels_f32(&product)
      case .bfloat16: ck_gemm_panels_bf16(&product)
      }
    }
  }

  /// The sum of `dy` over all rows, `[outputs]`.
  func biasGradient() -> Tensor? {
    guard let sums else { return nil }
    let db = Tensor(uninitialized: [sizes.outputs])
    sumMiddle(db.pointer, sums.pointer, 1, sums.shape[0], sizes.outputs, scale: 1)
    withExtendedLifetime(sums) {}
    return db
  }
}
