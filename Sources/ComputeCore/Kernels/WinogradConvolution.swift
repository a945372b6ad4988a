import CKernels

/// How the tiles of Winograd's algorithm lie on the source and on the target of a convolution.
struct WinogradTiles {
  let images: Int
  let source: PictureSize
  let target: PictureSize
  /// Rows and columns of zeros in front of the source.
  let top: Int
  let left: Int
  /// Rows and columns of the target that a tile covers: 2, or 4 for `float32`.
  var side = 2
  /// Whether the source is first enlarged twice in each direction, which the algorithm does not
  /// carry out: a tile of the target is then a pixel of the source.
  var isUpsampled = false

  var down: Int { isUpsampled ? source.height : (target.height + side - 1) / side }
  var across: Int { isUpsampled ? source.width : (target.width + side - 1) / side }
  var count: Int { images * down * across }
  /// Products of a tile.
  var places: Int {
    isUpsampled ? Int(CK_WINOGRAD_UPSAMPLED_PLACES) : (side + 2) * (side + 2)
  }

  /// The description for kernels that read the source.
  var reading: ck_winograd_t {
    ck_winograd_t(
      height: source.height, width: source.width, channels: source.channels, side: side,
      tiles_down: down, tiles_across: across, top: top, left: left, bias_step: 0)
  }

  /// The description for kernels that touch the target.
  var writing: ck_winograd_t {
    ck_winograd_t(
      height: target.height, width: target.width, channels: target.channels, side: side,
      tiles_down: down, tiles_across: across, top: 0, left: 0, bias_step: 0)
  }

  /// Whether fewer products make up for the transforms and for reading larger kernels.
  ///
  /// A picture's result must not depend on how many others there are, so neither does the choice.
  var areWorthwhile: Bool {
    let (perImage, kernels) = (down * across, source.channels * target.channels)
    return min(source.channels, target.channels) >= 16
      && (perImage >= 64 || perImage >= 16 && kernels <= 1 << 18)
  }

  /// Whether kernels are kept as they are, and transformed each time they are used.
  ///
  /// That takes 4 to 16 % of the time of the products, a quarter of the memory, and for wide layers on
  /// small pictures less time than reading transformed ones.
  func makesKernels(_ type: FactorType, isFrozen: Bool) -> Bool {
    let isWide = source.channels * target.channels > 1 << 18
    return type == .float32 && isFrozen && isWide && down * across >= 16
  }

  /// These tiles, or larger ones in their place, if Winograd's algorithm is the faster one; with AMX
  /// and bfloat16 the direct form is.
  func chosen(for type: FactorType, isFrozen: Bool) -> WinogradTiles? {
    if type == .bfloat16 && ck_gemm_has_tiles() != 0 { return nil }
    var large = self
    large.side = 4
    for tiles in type == .float32 ? [large, self] : [self]
    where tiles.areWorthwhile || tiles.makesKernels(type, isFrozen: isFrozen) {
      return tiles
    }
    return nil
  }
}

extension ConvolutionGeometry {
  private var isThreeByThree: Bool { kernelHeight == 3 && kernelWidth == 3 && stride == 1 }

  /// Tiles of the result, if Winograd's algorithm is the faster one.
  func winogradTiles(_ type: FactorType, isFrozen: Bool) -> WinogradTiles? {
    let tiles = WinogradTiles(
      images: images, source: (height, width, inChannels),
      target: (outHeight, outWidth, outChannels), top: padding.top, left: padding.left)
    return isThreeByThree ? tiles.chosen(for: type, isFrozen: isFrozen) : nil
  }

  /// Tiles of the gradient by the input, if Winograd's algorithm is the faster one.
  func winogradInputGradientTiles(_ type: FactorType, isFrozen: Bool) -> WinogradTiles? {
    let tiles = WinogradTiles(
      images: images, source: (outHeight, outWidth, outChannels),
      target: (height, width, inChannels), top: 2 - padding.top, left: 2 - padding.left)
    return isThreeByThree ? tiles.chosen(for: type, isFrozen: isFrozen) : nil
  }
}

/// Tiles that are multiplied together.
let winogradTilesPerBlock = 64

/// Elements put between two planes so that the places of a tile fall into different cache sets.
let winogradPlaneGap = 32

/// A convolution with 3x3 kernels and stride 1 by Winograd's F(2x2, 3x3) or F(4x4, 3x3).
///
/// Source: Lavin and Gray 2015, "Fast Algorithms for Convolutional Neural Networks",
/// arXiv:1509.09308. The transformed source is made and used in portions that fit the cache the
/// threads share; sums over channels and transforms of products are `float32`. The result is of type
/// `output`; `bias` is `[channels]`, or `[images, channels]` with one for each picture.
func winogradConvolution(
  _ x: Tensor, _ kernels: PackedFactor, _ bias: Tensor?, _ tiles: WinogradTiles,
  _ type: FactorType, adding residual: Tensor? = nil, output: DType = .float32
) -> Tensor {
  let target = tiles.target
  let x = type == .bfloat16 ? x : x.cast(to: .float32)
  let y = Tensor(
    uninitialized: [tiles.images, target.height, target.width, target.channels], dtype: output)
  let tilesPerBlock = tiles.isUpsampled ? 2 * winogradTilesPerBlock : winogradTilesPerBlock
  let (tilesPerTransform, columnsPerGroup) = (16, 64)
  let plane = tilesPerBlock * kernels.winogradRows + winogradPlaneGap
  let blockBytes = tiles.places * plane * type.byteCount
  let blocksAtOnce = max(2, (4 << 20) / blockBytes)
  let blocks = (tiles.count + tilesPerBlock - 1) / tilesPerBlock
  let groups = (target.channels + columnsPerGroup - 1) / columnsPerGroup
  let transformed = Storage(byteCount: min(blocks, blocksAtOnce) * blockBytes)
  // Kernels that do not fit the cache are read by all threads at the same time, and once.
  let areShared = tiles.places * kernels.plane * type.byteCount > 16 << 20
  for first in stride(from: 0, to: blocks, by: blocksAtOnce) {
    let present = min(blocksAtOnce, blocks - first)
    let range = first * tilesPerBlock..<min(tiles.count, (first + present) * tilesPerBlock)
    let pieces = (range.count + tilesPerTransform - 1) / tilesPerTransform
    ThreadPool.shared.run(items: pieces) { piece in
      let start = piece * tilesPerTransform
      let (block, row) = (start / tilesPerBlock, start % tilesPerBlock)
      transformInput(
        x,
        into: transformed.pointer + block * blockBytes
          + row * kernels.winogradRows * type.byteCount, plane: plane,
        stride: kernels.winogradRows, tiles,
        range.lowerBound
          + start..<min(range.upperBound, range.lowerBound + start + tilesPerTransform),
        type)
    }
    ThreadPool.shared.run(items: present * groups) { item in
      let (block, group) =
        areShared ? (item % present, item / present) : (item / groups, item % groups)
      let start = range.lowerBound + block * tilesPerBlock
      let columns =
        group * columnsPerGroup..<min(target.channels, (group + 1) * columnsPerGroup)
      multiply(
        transformed.pointer + block * blockBytes, plane: plane, kernels, into: y, residual, bias,
        tiles,
        start..<min(range.upperBound, start + tilesPerBlock), columns, type)
    }
  }
  withExtendedLifetime((x, bias, residual, transformed, kernels)) {}
  return y
}

/// `Bᵀ d B` of some tiles, one row per tile.
private func transformInput(
  _ x: Tensor, into target: UnsafeMutableRawPointer, plane: Int, stride: Int,
  _ tiles: WinogradTiles, _ range: Range<Int>, _ type: FactorType
) {
  var reading = tiles.reading
  let (first, end) = (range.lowerBound, range.upperBound)
  switch type {
  case .float32:
    let transform =
      tiles.isUpsampled ? ck_winograd_upsampled_input_f32 : ck_winograd_input_f32
    transform(
      target.assumingMemoryBound(to: Float.self), plane, stride, x.pointer, &reading, first, end)
  case .bfloat16:
    let transform =
      tiles.isUpsampled ? ck_winograd_upsampled_input_bf16 : ck_winograd_input_bf16
    transform(
      target.assumingMemoryBound(to: UInt16.self), plane, stride, x.storage.pointer,
      x.dtype == .bfloat16 ? 1 : 0, &reading, first, end)
  }
}

/// The pixels of some tiles and channels of `y`, from the transformed tiles at `source`.
private func multiply(
  _ source: UnsafeRawPointer, plane: Int, _ kernels: PackedFactor, into y: Tensor,
  _ residual: Tensor?, _ bias: Tensor?, _ tiles: WinogradTiles, _ range: Range<Int>,
  _ columns: Range<Int>, _ type: FactorType
) {
  let places = tiles.places
  let productPlane = range.count * columns.count + winogradPlaneGap
  let products = Storage(byteCount: places * productPlane * 4)
  let sums = products.pointer.assumingMemoryBound(to: Float.self)
  let depth = kernels.winogradRows
  let made = MadeKernels(kernels, columns, tiles)
  for first in stride(from: 0, to: depth, by: made?.rows ?? depth) {
    let rows = first..<min(depth, first + (made?.rows ?? depth))
    made?.fill(rows)
    var call = ck_winograd_products_t(
      places: places, m: sums, v: source + first * type.byteCount,
      u: made.map { UnsafeRawPointer($0.storage.pointer) }
        ?? kernels.pointer + columns.lowerBound * depth * type.byteCount,
      m_plane: productPlane, v_plane: plane, u_plane: made?.plane ?? kernels.plane, v_stride: depth,
      tiles: range.count, k: rows.count, columns: columns.count, accumulate: first > 0 ? 1 : 0)
    switch type {
    case .float32: ck_winograd_products_f32(&call)
    case .bfloat16: ck_winograd_products_bf16(&call)
    }
  }
  var writing = tiles.writing
  writing.bias_step = bias?.rank == 2 ? tiles.target.channels : 0
  let transform = tiles.isUpsampled ? ck_winograd_upsampled_output : ck_winograd_output
  transform(
    y.storage.pointer, y.dtype == .bfloat16 ? 1 : 0, residual?.pointer, sums, productPlane,
    bias?.pointer, &writing, range.lowerBound, range.upperBound, columns.lowerBound,
    columns.upperBound)
  withExtendedLifetime((products, made?.storage)) {}
}

/// Transformed kernels of some columns that are made when they are used, in the cache: from the
/// panels of the forward product where they are to be turned, or from kernels that are kept as they
/// are, some rows at a time.
private struct MadeKernels {
  let storage: Storage
  let plane: Int
  /// Rows that are made at a time: 1 MiB of them, measured.
  let rows: Int
  private let kernels: PackedFactor
  private let panels: Range<Int>
  private let side: Int

  /// `nil` where the kernels are kept transformed.
  init?(_ kernels: PackedFactor, _ columns: Range<Int>, _ tiles: WinogradTiles) {
    guard kernels.plane == 0 else { return nil }
    let width = ck_gemm_panel()
    let first = columns.lowerBound / width
    (self.kernels, panels, side) = (kernels, first..<first + panelCount(columns.count), tiles.side)
    let places = (side + 2) * (side + 2)
    let type: FactorType = kernels.turned == nil ? .float32 : .bfloat16
    rows = kernels.turned != nil ? kernels.k : side == 4 ? 128 : 256
    plane = panels.count * width * rows + winogradPlaneGap
    storage = Storage(byteCount: places * plane * type.byteCount)
  }

  func fill(_ range: Range<Int>) {
    if let turned = kernels.turned {
      turned.fillWinograd(storage.pointer, plane: plane, panels: panels)
      return
    }
    let (width, depth) = (ck_gemm_panel(), kernels.winogradRows)
    let source = kernels.pointer.assumingMemoryBound(to: Float.self)
    let target = storage.pointer.assumingMemoryBound(to: Float.self)
    for panel in panels {
      ck_winograd_kernels_f32(
        target + (panel - panels.lowerBound) * range.count * width, plane,
        source + (panel * kernels.k + range.lowerBound) * width, depth * width,
        range.count * width, side)
    }
  }
}
