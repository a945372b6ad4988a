import CKernels

/// Gradient by 3x3 kernels, `[out, 3, 3, in]`, by Winograd's algorithm.
///
/// `dw = Gᵀ [Σ_tiles (A dy Aᵀ) ∘ (Bᵀ d B)] G`: per place a product of `[out, tiles]` and
/// `[tiles, in]`, made in portions of tiles that stay in the cache.
func winogradWeightGradient(
  _ dy: Tensor, _ x: Tensor, _ tiles: WinogradTiles, _ type: FactorType
) -> Tensor {
  let (inputs, outputs) = (tiles.source.channels, tiles.target.channels)
  let (dy, x) =
    type == .bfloat16 ? (dy, x) : (dy.cast(to: .float32), x.cast(to: .float32))
  let left = TilePanels(width: CK_ROW_PANEL, channels: outputs, tiles, type)
  let right = TilePanels(width: ck_gemm_panel(), channels: inputs, tiles, type)
  let plane = outputs * inputs
  let sums = Storage(byteCount: tiles.places * plane * 4)
  let du = sums.pointer.assumingMemoryBound(to: Float.self)
  let columnsPerItem = 4 * ck_gemm_panel()
  let parts = (inputs + columnsPerItem - 1) / columnsPerItem
  for start in stride(from: 0, to: tiles.count, by: left.tilesAtOnce) {
    let range = start..<min(tiles.count, start + left.tilesAtOnce)
    let tilesPerItem = 32
    ThreadPool.shared.run(items: (range.count + tilesPerItem - 1) / tilesPerItem) { item in
      let first = start + item * tilesPerItem
      let piece = first..<min(range.upperBound, first + tilesPerItem)
      left.fill(.gradient, dy, tiles.writing, first: start, piece)
      right.fill(.input, x, tiles.reading, first: start, piece)
    }
    ThreadPool.shared.run(items: tiles.places * parts) { item in
      let (place, first) = (item / parts, item % parts * columnsPerItem)
      var product = ck_gemm_panels_t(
        a: left.pointer(place: place, channel: 0), b: right.pointer(place: place, channel: first),
        rows: outputs, columns: min(columnsPerItem, inputs - first), k: left.rows(range.count),
        a_panel_k: left.tilesAtOnce,
        b_panel_k: left.tilesAtOnce, c: du + place * plane + first, c_stride: inputs,
        accumulate: start > 0 ? 1 : 0)
      switch type {
      case .float32: ck_gemm_panels_f32(&product)
      case .bfloat16: ck_gemm_panels_bf16(&product)
      }
    }
  }
  let dw = Tensor(uninitialized: [outputs, 3, 3, inputs])
  parallelChunks(outputs, chunk: 8) { range in
    for out in range {
      ck_winograd_weight_gradient_f32(
        dw.pointer + out * 9 * inputs, du + out * inputs, plane, inputs, tiles.side)
    }
  }
  withExtendedLifetime((sums, left, right, dy, x)) {}
  return dw
}

/// Transformed tiles as one factor per place: tiles are the summed axis, channels lie in panels.
private struct TilePanels {
  let storage: Storage
  let type: FactorType
  let width: Int
  /// Tiles that there is room for.
  let tilesAtOnce: Int
  let plane: Int

  init(width: Int, channels: Int, _ tiles: WinogradTiles, _ type: FactorType) {
    self.width = width
    self.type = type
    tilesAtOnce = min(tiles.side == 2 ? 512 : 256, (tiles.count + 1) / 2 * 2)
    plane = (channels + width - 1) / width * width * tilesAtOnce + 2 * winogradPlaneGap
    storage = Storage(byteCount: tiles.places * plane * type.byteCount)
  }

  /// Rows of the summed axis that `count` tiles take.
  func rows(_ count: Int) -> Int { type.padded(count) }

  /// The factor of a place, from the panel of `channel` on.
  func pointer(place: Int, channel: Int) -> UnsafeRawPointer {
    UnsafeRawPointer(storage.pointer)
      + (place * plane + channel * tilesAtOnce) * type.byteCount
  }

  /// Which transform of a tile.
  enum Content {
    /// `Bᵀ d B` of the convolution's input.
    case input
    /// `A dy Aᵀ` of the gradient by its result.
    case gradient
  }

  /// Fills in the tiles `range` of a portion that begins at tile `first`.
  func fill(
    _ content: Content, _ x: Tensor, _ picture: ck_winograd_t, first: Int, _ range: Range<Int>
  ) {
    var picture = picture
    switch type {
    case .float32:
      let transform =
        content == .input ? ck_winograd_input_panels_f32 : ck_winograd_gradient_panels_f32
      transform(
        storage.pointer.assumingMemoryBound(to: Float.self), plane, tilesAtOnce, width, x.pointer,
        &picture, first, range.lowerBound, range.upperBound)
    case .bfloat16:
      let transform =
        content == .input ? ck_winograd_input_panels_bf16 : ck_winograd_gradient_panels_bf16
      transform(
        storage.pointer.assumingMemoryBound(to: UInt16.self), plane, tilesAtOnce, width,
        x.storage.pointer, x.dtype == .bfloat16 ? 1 : 0, &picture, first, range.lowerBound,
        range.upperBound)
    }
  }
}
