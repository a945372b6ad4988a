import CKernels

/// Gradient by the weight, `[out, kh, kw, in]`: `dyᵀ` times the pixels that each tap saw.
///
/// The sum runs over pixels, in blocks that fit the second-level cache; each item of work owns
/// some input channels of one tap, so no two threads add to the same number.
func convolutionWeightGradient(_ dy: Tensor, _ x: Tensor, _ g: ConvolutionGeometry) -> Tensor {
  let type = FactorType.current
  let shape = [g.outChannels, g.kernelHeight, g.kernelWidth, g.inChannels]
  guard dy.count > 0, g.inChannels > 0 else { return Tensor.zeros(shape) }
  // Kernels in Winograd's form take 16/9 to 4 times the memory, so not those of very wide layers.
  if let tiles = g.winogradTiles(type, isFrozen: false), g.inChannels * g.outChannels <= 1 << 19 {
    return winogradWeightGradient(dy, x, tiles, type)
  }
  let dy = dy.cast(to: .float32)
  let dw = Tensor(uninitialized: shape)
  let left = GradientPanels(dy, g, type)
  let right = TapPixels(x, g, type)
  let columnsPerItem = 4 * ck_gemm_panel()
  let parts = (g.inChannels + columnsPerItem - 1) / columnsPerItem
  // Short lines are gathered until a block is worth a product, long ones are cut.
  let linesPerBlock = max(1, 1_024 / left.lineLength)
  let pieceLength = min(left.lineLength, 1_024)
  ThreadPool.shared.run(items: g.taps * parts) { item in
    let (tap, first) = (item / parts, item % parts * columnsPerItem)
    let columns = first..<min(g.inChannels, first + columnsPerItem)
    let roomRows = linesPerBlock * pieceLength
    let scratch = Storage(
      byteCount: PackedFactor.byteCount(k: roomRows, columns: columns.count, type: type))
    var isFirst = true
    for line in stride(from: 0, to: left.lines, by: linesPerBlock) {
      let blockLines = min(linesPerBlock, left.lines - line)
      for start in stride(from: 0, to: left.lineLength, by: pieceLength) {
        let length = min(pieceLength, left.lineLength - start)
        for index in 0..<blockLines {
          right.pack(
            tap: tap, columns, line: line + index, start..<min(left.pixels, start + length),
            into: scratch, row: index * length, roomRows: roomRows)
        }
        var product = ck_gemm_panels_t(
          a: left.pointer(row: line * left.lineLength + start), b: scratch.pointer,
          rows: g.outChannels, columns: columns.count, k: blockLines * length,
          a_panel_k: left.rows, b_panel_k: roomRows,
          c: dw.pointer + tap * g.inChannels + first, c_stride: g.taps * g.inChannels,
          accumulate: isFirst ? 0 : 1)
        switch type {
        case .float32: ck_gemm_panels_f32(&product)
        case .bfloat16: ck_gemm_panels_bf16(&product)
        }
        isFirst = false
      }
    }
    withExtendedLifetime(scratch) {}
  }
  withExtendedLifetime((x, left, right)) {}
  return dw
}

/// `dy` as a left factor in panels, `[out / 8][lines · lineLength][8]`; the ends of short lines
/// are zero.
private struct GradientPanels {
  let storage: Storage
  let type: FactorType
  let lines: Int
  let pixels: Int
  let lineLength: Int
  var rows: Int { lines * lineLength }

  init(_ dy: Tensor, _ g: ConvolutionGeometry, _ type: FactorType) {
    let lines = g.images * g.outHeight
    let pixels = g.outWidth
    let lineLength = type.padded(pixels)
    (self.type, self.lines, self.pixels, self.lineLength) = (type, lines, pixels, lineLength)
    let (width, channels, rows) = (Int(CK_ROW_PANEL), g.outChannels, lines * lineLength)
    let storage = Storage(
      byteCount: (channels + width - 1) / width * width * rows * type.byteCount)
    self.storage = storage
    let pixelsPerItem = 256
    let itemsPerLine = (pixels + pixelsPerItem - 1) / pixelsPerItem
    ThreadPool.shared.run(items: lines * itemsPerLine) { item in
      let (line, first) = (item / itemsPerLine, item % itemsPerLine * pixelsPerItem)
      let count = min(pixelsPerItem, pixels - first)
      let source = dy.pointer + (line * pixels + first) * channels
      let offset = (line * lineLength + first) * width
      switch type {
      case .float32:
        ck_pack_panels_f32(
          storage.pointer.assumingMemoryBound(to: Float.self) + offset, rows, width, source,
          channels, count, channels)
      case .bfloat16:
        ck_pack_panels_bf16(
          storage.pointer.assumingMemoryBound(to: UInt16.self) + offset, rows, width, source,
          channels, count, channels)
      }
    }
    withExtendedLifetime(dy) {}
  }

  /// The factor from row `row` of the summed axis on.
  func pointer(row: Int) -> UnsafeRawPointer {
    UnsafeRawPointer(storage.pointer) + row * Int(CK_ROW_PANEL) * type.byteCount
  }
}

/// The pixels of `x` that a tap sees, to be packed as a right factor.
private struct TapPixels {
  private let g: ConvolutionGeometry
  private let type: FactorType
  private let padded: PaddedActivation

  init(_ x: Tensor, _ g: ConvolutionGeometry, _ type: FactorType) {
    (self.g, self.type) = (g, type)
    padded = PaddedActivation(
      x, images: g.images, g.height, g.width, g.inChannels, height: g.paddedHeight,
      width: g.paddedWidth, top: g.padding.top, left: g.padding.left, type: type)
  }

  /// Packs the pixels of one line, as the summed axis from `row` on, in panels of `roomRows` rows.
  func pack(
    tap: Int, _ columns: Range<Int>, line: Int, _ pixels: Range<Int>, into scratch: Storage,
    row: Int, roomRows: Int
  ) {
    let width = ck_gemm_panel()
    let target = scratch.pointer + row * width * type.byteCount
    let (image, y) = (line / g.outHeight, line % g.outHeight)
    let top = image * padded.height + y * g.stride + tap / g.kernelWidth
    let left = pixels.lowerBound * g.stride + tap % g.kernelWidth
    let offset = (top * padded.width + left) * padded.channels + columns.lowerBound
    let step = g.stride * padded.channels
    switch type {
    case .float32:
      ck_pack_panels_f32(
        target.assumingMemoryBound(to: Float.self), roomRows, width,
        padded.storage.pointer.assumingMemoryBound(to: Float.self) + offset, step, pixels.count,
        columns.count)
    case .bfloat16:
      ck_pack_panels_rows_bf16(
        target.assumingMemoryBound(to: UInt16.self), roomRows, width,
        padded.storage.pointer.assumingMemoryBound(to: UInt16.self) + offset, step, pixels.count,
        columns.count)
    }
  }
}
