import CKernels

/// Gradient by the weight, `[out, kh, kw, in]`: `dyᵀ` times the pixels that each tap saw.
///
/// The sum runs over pixels, in blocks that fit the second-level cache; each item of work owns
/// some input channels of one tap, so no two threads add to the same number.
func convolutionWeightGradient(_ dy: Tensor, _ x: Tensor, _ g: ConvolutionGeometry) -> Tensor {
  let type = FactorType.current
  let shape = [g.outChannels, g.kernelHeight, g.kernelWidth, g.inChannels]
  guard dy.count > 0 else { return Tensor.zeros(shape) }
  let dw = Tensor(uninitialized: shape)
  // A pointwise convolution has one long line, so that short lines waste nothing.
  let lines = g.isPointwise ? 1 : g.images * g.outHeight
  let pixels = g.isPointwise ? g.images * g.height * g.width : g.outWidth
  let lineLength = type.padded(pixels)
  let transposed = TransposedGradient(
    dy.pointer, lines: lines, pixels: pixels, lineLength: lineLength, channels: g.outChannels,
    type: type)
  let source: PaddedActivation? =
    g.isPointwise && type == .float32
    ? nil
    : PaddedActivation(
      x.pointer, images: g.isPointwise ? 1 : g.images, g.isPointwise ? 1 : g.height,
      g.isPointwise ? pixels : g.width, g.inChannels,
      height: g.isPointwise ? 1 : g.paddedHeight, width: g.isPointwise ? pixels : g.paddedWidth,
      top: g.padding.top, left: g.padding.left, type: type)
  let base = source.map { UnsafeRawPointer($0.storage.pointer) } ?? UnsafeRawPointer(x.pointer)
  let channels = source?.channels ?? g.inChannels
  let width = source?.width ?? pixels
  let height = source?.height ?? 1
  let columnsPerItem = 4 * ck_gemm_panel()
  let parts = (g.inChannels + columnsPerItem - 1) / columnsPerItem
  ThreadPool.shared.run(items: g.taps * parts) { item in
    let (tap, part) = (item / parts, item % parts)
    let first = part * columnsPerItem
    let columns = min(columnsPerItem, g.inChannels - first)
    let tapOffset = (tap / g.kernelWidth * width + tap % g.kernelWidth) * channels + first
    // Short lines are gathered until a block is worth a product, long ones are cut.
    let linesPerBlock = max(1, 1_024 / lineLength)
    let pieceLength = min(lineLength, 1_024)
    let scratch = Storage(
      byteCount: PackedFactor.byteCount(
        k: linesPerBlock * pieceLength, columns: columns, type: type))
    var isFirst = true
    for line in stride(from: 0, to: lines, by: linesPerBlock) {
      let blockLines = min(linesPerBlock, lines - line)
      for start in stride(from: 0, to: lineLength, by: pieceLength) {
        let length = min(pieceLength, lineLength - start)
        let k = blockLines * length
        for index in 0..<blockLines {
          let (image, y) = ((line + index) / g.outHeight, (line + index) % g.outHeight)
          let origin =
            g.isPointwise
            ? start * channels
            : (image * height + y * g.stride) * width * channels + start * g.stride * channels
          packLine(
            base, offset: origin + tapOffset, into: scratch, kTotal: k, kOffset: index * length,
            k: min(length, pixels - start), columns: columns, kStride: g.stride * channels, type)
        }
        let rows = transposed.rows(start: line * lineLength + start, k: k)
        product(
          rows, scratch.pointer, columns: columns,
          into: ProductTarget(
            pointer: dw.pointer + tap * g.inChannels + first, stride: g.taps * g.inChannels,
            accumulates: !isFirst))
        isFirst = false
      }
    }
    withExtendedLifetime(scratch) {}
  }
  withExtendedLifetime((x, source, transposed)) {}
  return dw
}

/// Packs `k` pixels of one line, `columns` channels of each, as rows of a right factor.
private func packLine(
  _ base: UnsafeRawPointer, offset: Int, into scratch: Storage, kTotal: Int, kOffset: Int, k: Int,
  columns: Int, kStride: Int, _ type: FactorType
) {
  switch type {
  case .float32:
    ck_pack_b_f32(
      scratch.pointer.assumingMemoryBound(to: Float.self), kTotal, kOffset,
      base.assumingMemoryBound(to: Float.self) + offset, k, columns, kStride, 1, 0,
      panelCount(columns))
  case .bfloat16:
    ck_pack_b_rows_bf16(
      scratch.pointer.assumingMemoryBound(to: UInt16.self), kTotal, kOffset,
      base.assumingMemoryBound(to: UInt16.self) + offset, k, columns, kStride, 0,
      panelCount(columns))
  }
}

/// `dyᵀ`, `[channels, lines · lineLength]`, in the factor type; the ends of short lines are zero.
private struct TransposedGradient {
  let storage: Storage
  let type: FactorType
  let stride: Int
  let channels: Int

  init(
    _ dy: UnsafePointer<Float>, lines: Int, pixels: Int, lineLength: Int, channels: Int,
    type: FactorType
  ) {
    self.type = type
    self.channels = channels
    // Rows a power of two apart would fall into the same cache sets; an odd multiple is none.
    let stride = ((lines * lineLength + 31) / 32 | 1) * 32
    self.stride = stride
    let storage = Storage(byteCount: channels * stride * type.byteCount)
    self.storage = storage
    let pixelsPerItem = 256
    let itemsPerLine = (pixels + pixelsPerItem - 1) / pixelsPerItem
    ThreadPool.shared.run(items: lines * itemsPerLine) { item in
      let (line, part) = (item / itemsPerLine, item % itemsPerLine)
      let first = part * pixelsPerItem
      let count = min(pixelsPerItem, pixels - first)
      let source = dy + (line * pixels + first) * channels
      let target = line * lineLength + first
      switch type {
      case .float32:
        ck_transpose_f32(
          storage.pointer.assumingMemoryBound(to: Float.self) + target, stride, source, channels,
          count, channels)
      case .bfloat16:
        ck_transpose_bf16(
          storage.pointer.assumingMemoryBound(to: UInt16.self) + target, stride, source, channels,
          count, channels)
      }
    }
  }

  /// All channels as rows, from column `start` on.
  func rows(start: Int, k: Int) -> FactorRows {
    FactorRows(
      pointer: UnsafeRawPointer(storage.pointer) + start * type.byteCount, type: type,
      rowStride: stride, rowsPerLine: channels, segmentLength: k)
  }
}
