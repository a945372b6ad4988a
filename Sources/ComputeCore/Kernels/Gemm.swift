import CKernels

/// Element type of the factors of a product; sums are `float32` with both.
enum FactorType: Int, Sendable {
  case float32
  case bfloat16

  /// What `Compute.current.precision` asks for, if this CPU multiplies it natively.
  static var current: FactorType {
    Compute.current.precision == .bfloat16 && ck_gemm_has_bf16() != 0 ? .bfloat16 : .float32
  }

  var byteCount: Int { dtype.byteCount }

  /// The type of a tensor with such elements.
  var dtype: DType { self == .float32 ? .float32 : .bfloat16 }

  /// Runs of factors along the summed axis have a multiple of this length.
  var runMultiple: Int { self == .float32 ? 1 : 2 }

  /// `count` rounded up to a length a run may have.
  func padded(_ count: Int) -> Int { (count + runMultiple - 1) / runMultiple * runMultiple }
}

/// The left factor: rows of runs in memory, see `ck_gemm_t`.
struct FactorRows {
  private(set) var pointer: UnsafeRawPointer
  let type: FactorType
  var rowStride: Int
  var lineStride = 0
  var imageStride = 0
  var rowsPerLine: Int
  var linesPerImage = 1
  var images = 1
  var segments: [Int] = [0]
  var segmentLength: Int

  /// Rows in all.
  var count: Int { rowsPerLine * linesPerImage * images }

  /// The `count` rows of a matrix from `first` on.
  func part(_ first: Int, count: Int) -> FactorRows {
    var part = self
    part.pointer = pointer + first * rowStride * type.byteCount
    part.rowsPerLine = count
    return part
  }
}

/// Where a product goes and what is added to it.
struct ProductTarget {
  private(set) var pointer: UnsafeMutablePointer<Float>?
  /// Where the result goes rounded to `bfloat16` instead.
  private(set) var rounded: UnsafeMutablePointer<UInt16>?
  let stride: Int
  var bias: UnsafePointer<Float>?
  /// Numbers between the biases of two images; 0 for one bias for all.
  var biasStep = 0
  /// What is added to the result, in its layout.
  var residual: UnsafePointer<Float>?

  init(pointer: UnsafeMutablePointer<Float>, stride: Int) {
    self.pointer = pointer
    self.stride = stride
  }

  /// Numbers of type `type` from number `offset` of `storage` on.
  init(_ storage: Storage, _ type: FactorType, offset: Int, stride: Int) {
    self.stride = stride
    switch type {
    case .float32: pointer = storage.pointer.assumingMemoryBound(to: Float.self) + offset
    case .bfloat16: rounded = storage.pointer.assumingMemoryBound(to: UInt16.self) + offset
    }
  }

  /// The numbers of `y` from `offset` on; a `bfloat16` one takes products of such factors only.
  init(_ y: Tensor, offset: Int, stride: Int) {
    self.stride = stride
    switch y.dtype {
    case .float32: pointer = y.pointer + offset
    case .bfloat16: rounded = y.bfloat16Pointer + offset
    }
  }
}

/// The product's C description; `segments` must stay valid while it is used.
private func description(
  _ rows: FactorRows, _ packed: UnsafeRawPointer, columns: Int,
  _ segments: UnsafeBufferPointer<Int>, _ target: ProductTarget
) -> ck_gemm_t {
  ck_gemm_t(
    a: rows.pointer, row_stride: rows.rowStride, line_stride: rows.lineStride,
    image_stride: rows.imageStride, rows_per_line: rows.rowsPerLine,
    lines_per_image: rows.linesPerImage, images: rows.images, segments: segments.baseAddress,
    segment_count: segments.count, segment_length: rows.segmentLength, b: packed,
    columns: columns, c: target.pointer, rounded: target.rounded, c_stride: target.stride,
    bias: target.bias, bias_step: target.biasStep, residual: target.residual)
}

private func run(
  _ g: ck_gemm_t, _ type: FactorType, blocks: Range<Int>, panels: Range<Int>
) {
  var g = g
  let compute = type == .float32 ? ck_gemm_f32 : ck_gemm_bf16
  compute(&g, blocks.lowerBound, blocks.upperBound, panels.lowerBound, panels.upperBound)
}

/// `target = rows · packed` on the calling thread, for all panels or some of them.
func product(
  _ rows: FactorRows, _ packed: UnsafeRawPointer, columns: Int, panels: Range<Int>? = nil,
  into target: ProductTarget
) {
  guard rows.count > 0, columns > 0 else { return }
  rows.segments.withUnsafeBufferPointer { segments in
    var g = description(rows, packed, columns: columns, segments, target)
    let blocks = ck_gemm_blocks(&g)
    run(g, rows.type, blocks: 0..<blocks, panels: panels ?? 0..<panelCount(columns))
  }
}

/// `target = rows · packed` on all threads; each works on its own tiles of the result.
func parallelProduct(_ rows: FactorRows, _ packed: PackedFactor, into target: ProductTarget) {
  guard rows.count > 0, packed.columns > 0 else { return }
  rows.segments.withUnsafeBufferPointer { segments in
    var g = description(rows, packed.pointer, columns: packed.columns, segments, target)
    let blocks = ck_gemm_blocks(&g)
    let panels = panelCount(packed.columns)
    let panelBytes = packed.k * ck_gemm_panel() * rows.type.byteCount
    let panelsPerItem = min(panels, max(1, (384 << 10) / max(1, panelBytes)))
    let blocksPerItem = min(32, max(1, (blocks + 3) / 4))
    let across = (panels + panelsPerItem - 1) / panelsPerItem
    let down = (blocks + blocksPerItem - 1) / blocksPerItem
    let frozen = g
    ThreadPool.shared.run(items: across * down) { item in
      let (i, j) = (item % down * blocksPerItem, item / down * panelsPerItem)
      let own = j..<min(panels, j + panelsPerItem)
      var g = frozen
      let scratch = packed.turned.map { turned in
        let scratch = Storage(byteCount: own.count * panelBytes)
        turned.fill(scratch.pointer, panels: own)
        g.b = UnsafeRawPointer(scratch.pointer) - j * panelBytes
        return scratch
      }
      run(g, rows.type, blocks: i..<min(blocks, i + blocksPerItem), panels: own)
      withExtendedLifetime(scratch) {}
    }
  }
}

/// Panels that `columns` columns of a right factor take.
func panelCount(_ columns: Int) -> Int { (columns + ck_gemm_panel() - 1) / ck_gemm_panel() }
