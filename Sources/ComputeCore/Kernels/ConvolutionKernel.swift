import CKernels

/// Sizes of a convolution of `[N, H, W, C]` by `[out, kh, kw, in]`.
struct ConvolutionGeometry {
  let images: Int
  let height: Int
  let width: Int
  let inChannels: Int
  let outChannels: Int
  let kernelHeight: Int
  let kernelWidth: Int
  let stride: Int
  let padding: Padding

  var paddedHeight: Int { height + padding.top + padding.bottom }
  var paddedWidth: Int { width + padding.left + padding.right }
  var outHeight: Int { (paddedHeight - kernelHeight) / stride + 1 }
  var outWidth: Int { (paddedWidth - kernelWidth) / stride + 1 }
  var taps: Int { kernelHeight * kernelWidth }
  var isPointwise: Bool { taps == 1 && stride == 1 && padding == Padding(0) }

  /// Stops when the kernel, the stride or the padding is not one that a convolution can have.
  func checkSteps(_ operation: String) {
    precondition(taps > 0, "\(operation): the kernel has no pixel")
    precondition(stride >= 1, "\(operation): stride must be at least 1, got \(stride)")
    precondition(
      min(padding.top, padding.bottom, padding.left, padding.right) >= 0,
      "\(operation): padding must be at least 0, got \(padding)")
  }
}

/// A zero-padded, possibly dilated copy of an activation in the factor type.
struct PaddedActivation {
  let storage: Storage
  let type: FactorType
  let height: Int
  let width: Int
  let channels: Int

  /// Pads `x` `[images, h, w, c]` of either type to `height` x `width` with its pixels `dilation`
  /// apart from (`top`, `left`) on; channels are padded to a whole run.
  init(
    _ x: Tensor, images: Int, _ h: Int, _ w: Int, _ c: Int, height: Int, width: Int, top: Int,
    left: Int, dilation: Int = 1, type: FactorType
  ) {
    let x = type == .bfloat16 ? x : x.cast(to: .float32)
    let padded = type.padded(c)
    self.type = type
    self.height = height
    self.width = width
    channels = padded
    let storage = Storage(byteCount: images * height * width * padded * type.byteCount)
    self.storage = storage
    let place = ck_pad_t(
      height: height, width: width, y_channels: padded, top: top, left: left, dilation: dilation,
      x_height: h, x_width: w, channels: c)
    let linesPerItem = max(1, 16_384 / max(1, width * padded))
    let itemsPerImage = (height + linesPerItem - 1) / linesPerItem
    ThreadPool.shared.run(items: images * itemsPerImage) { item in
      let (image, part) = (item / itemsPerImage, item % itemsPerImage)
      let (first, last) = (part * linesPerItem, min(height, (part + 1) * linesPerItem))
      let target = storage.pointer + image * height * width * padded * type.byteCount
      let start = image * h * w * c
      var place = place
      switch (type, x.dtype) {
      case (.float32, _):
        ck_pad_f32(
          target.assumingMemoryBound(to: Float.self), x.pointer + start, &place, first, last)
      case (.bfloat16, .float32):
        ck_pad_bf16(
          target.assumingMemoryBound(to: UInt16.self), x.pointer + start, &place, first, last)
      case (.bfloat16, .bfloat16):
        ck_pad_rows_bf16(
          target.assumingMemoryBound(to: UInt16.self), x.bfloat16Pointer + start, &place, first,
          last)
      }
    }
    withExtendedLifetime(x) {}
  }

  /// The rows that a convolution with a kernel of `kh` x `kw` and `stride` reads.
  func rows(images: Int, outHeight: Int, outWidth: Int, kh: Int, kw: Int, stride: Int)
    -> FactorRows
  {
    FactorRows(
      pointer: UnsafeRawPointer(storage.pointer), type: type, rowStride: stride * channels,
      lineStride: stride * width * channels, imageStride: height * width * channels,
      rowsPerLine: outWidth, linesPerImage: outHeight, images: images,
      segments: (0..<kh).map { $0 * width * channels }, segmentLength: kw * channels)
  }
}

/// `y[n, i, j, o] = Σ x[n, i·s + ky − top, j·s + kx − left, c] · w[o, ky, kx, c] + bias[o]`, or
/// `bias[n, o]`.
func convolutionForward(
  _ x: Tensor, _ weight: Tensor, _ bias: Tensor?, _ g: ConvolutionGeometry,
  adding residual: Tensor? = nil, output: DType = .float32
) -> Tensor {
  let type = FactorType.current
  if let tiles = g.winogradTiles(type, isFrozen: !weight.isRecorded) {
    return winogradConvolution(
      x, winogradKernels(weight, tiles, type), bias, tiles, type, adding: residual, output: output)
  }
  return directConvolution(
    x, directKernels(weight, type), bias, g, stride: g.stride, dilation: 1,
    source: (g.height, g.width, g.inChannels), padded: (g.paddedHeight, g.paddedWidth),
    top: g.padding.top, left: g.padding.left, target: (g.outHeight, g.outWidth, g.outChannels),
    adding: residual, output: output)
}

/// `weight` `[out, kh, kw, in]` packed as it is, with rows `[kh, kw, in]`.
private func directKernels(_ weight: Tensor, _ type: FactorType) -> PackedFactor {
  let (out, taps, inputs) = (weight.shape[0], weight.shape[1] * weight.shape[2], weight.shape[3])
  let channels = type.padded(inputs)
  return weight.packed(.forward, type) { lasts in
    let w = weight.forPacking
    return withExtendedLifetime(w) {
      PackedFactor(
        k: taps * channels, columns: out, type: type, lasts: lasts,
        pieces: channels == inputs
          ? [
            FactorPiece(
              pointer: w.pointer, kOffset: 0, k: taps * inputs, kStride: 1,
              nStride: taps * inputs)
          ]
          : (0..<taps).map { tap in
            FactorPiece(
              pointer: w.pointer + tap * inputs, kOffset: tap * channels, k: inputs, kStride: 1,
              nStride: taps * inputs)
          })
    }
  }
}

/// The flipped kernels of `weight` `[out, kh, kw, in]`, with rows `[kh, kw, out]`.
private func flippedKernels(_ weight: Tensor, _ type: FactorType) -> PackedFactor {
  let (out, taps, inputs) = (weight.shape[0], weight.shape[1] * weight.shape[2], weight.shape[3])
  let channels = type.padded(out)
  return weight.packed(.inputGradient, type) { lasts in
    let w = weight.forPacking
    return withExtendedLifetime(w) {
      PackedFactor(
        k: taps * channels, columns: inputs, type: type, lasts: lasts,
        pieces: (0..<taps).map { tap in
          FactorPiece(
            pointer: w.pointer + (taps - 1 - tap) * inputs, kOffset: tap * channels, k: out,
            kStride: taps * inputs, nStride: 1)
        })
    }
  }
}

/// `weight` `[out, 3, 3, in]` for Winograd's algorithm with these tiles.
func winogradKernels(_ weight: Tensor, _ tiles: WinogradTiles, _ type: FactorType) -> PackedFactor {
  if tiles.makesKernels(type, isFrozen: !weight.isRecorded) { return directKernels(weight, type) }
  let (out, inputs) = (weight.shape[0], weight.shape[3])
  return weight.packed(.winogradForward(side: tiles.side), type) { lasts in
    let w = weight.forPacking
    return withExtendedLifetime(w) {
      PackedFactor(
        winograd: w.pointer,
        ck_winograd_kernel_t(
          row: 1, column: 9 * inputs, tap: inputs, flipped: 0, side: tiles.side),
        k: inputs, columns: out, type: type, lasts: lasts)
    }
  }
}

/// The same of the flipped kernels, for the gradient by the input.
private func flippedWinogradKernels(
  _ weight: Tensor, _ tiles: WinogradTiles, _ type: FactorType
) -> PackedFactor {
  if tiles.makesKernels(type, isFrozen: !weight.isRecorded) { return flippedKernels(weight, type) }
  let (out, inputs) = (weight.shape[0], weight.shape[3])
  return weight.turned(.winogradForward(side: 2), type, inputs: inputs, rows: tiles.count)
    ?? weight.packed(.winogradInputGradient(side: tiles.side), type) { lasts in
      let w = weight.forPacking
      return withExtendedLifetime(w) {
        PackedFactor(
          winograd: w.pointer,
          ck_winograd_kernel_t(
            row: 9 * inputs, column: 1, tap: inputs, flipped: 1, side: tiles.side),
          k: out, columns: inputs, type: type, lasts: lasts)
      }
    }
}

/// Gradient by the input: `dy`, its pixels `stride` apart, convolved with the flipped kernel.
///
/// `bias` `[in]` is added where the transposed convolution has one.
func convolutionInputGradient(
  _ dy: Tensor, _ weight: Tensor, bias: Tensor? = nil, _ g: ConvolutionGeometry,
  output: DType = .float32
) -> Tensor {
  let type = FactorType.current
  if let tiles = g.winogradInputGradientTiles(type, isFrozen: !weight.isRecorded) {
    return winogradConvolution(
      dy, flippedWinogradKernels(weight, tiles, type), bias, tiles, type, output: output)
  }
  let packed =
    weight.turned(
      .forward, type, taps: g.taps, inputs: g.inChannels, rows: g.images * g.height * g.width)
    ?? flippedKernels(weight, type)
  return directConvolution(
    dy, packed, bias, g, stride: 1, dilation: g.stride,
    source: (g.outHeight, g.outWidth, g.outChannels),
    padded: (g.height + g.kernelHeight - 1, g.width + g.kernelWidth - 1),
    top: g.kernelHeight - 1 - g.padding.top, left: g.kernelWidth - 1 - g.padding.left,
    target: (g.height, g.width, g.inChannels), output: output)
}

/// A picture's rows, columns and channels.
typealias PictureSize = (height: Int, width: Int, channels: Int)

/// The implicit product of the padded, dilated `x` and a packed kernel of `g`'s size.
private func directConvolution(
  _ x: Tensor, _ packed: PackedFactor, _ bias: Tensor?, _ g: ConvolutionGeometry, stride: Int,
  dilation: Int, source: PictureSize, padded: (height: Int, width: Int), top: Int, left: Int,
  target: PictureSize, adding residual: Tensor? = nil, output: DType
) -> Tensor {
  let type = FactorType.current
  let y = Tensor(
    uninitialized: [g.images, target.height, target.width, target.channels],
    dtype: type == .bfloat16 ? output : .float32)
  var result = ProductTarget(y, offset: 0, stride: target.channels)
  result.bias = bias.map { UnsafePointer($0.pointer) }
  result.biasStep = bias?.rank == 2 ? target.channels : 0
  result.residual = residual.map { UnsafePointer($0.pointer) }
  withExtendedLifetime((x, bias, residual)) {
    let copy = PaddedActivation(
      x, images: g.images, source.height, source.width, source.channels,
      height: padded.height, width: padded.width, top: top, left: left, dilation: dilation,
      type: type)
    let rows = copy.rows(
      images: g.images, outHeight: target.height, outWidth: target.width, kh: g.kernelHeight,
      kw: g.kernelWidth, stride: stride)
    withExtendedLifetime(copy) { parallelProduct(rows, packed, into: result) }
  }
  return y.cast(to: output)
}

/// Sums of `dy` `[N, H, W, C]` of either type over all pixels, `[C]`, or over those of each picture,
/// `[N, C]`: the gradient by a bias.
func channelSums(_ dy: Tensor, perImage: Bool) -> Tensor {
  guard dy.dtype == .bfloat16 else { return dy.sum(axes: perImage ? [1, 2] : [0, 1, 2]) }
  let (n, c) = (dy.shape[0], dy.shape[3])
  let (groups, rows) = perImage ? (n, dy.shape[1] * dy.shape[2]) : (1, dy.count / max(1, c))
  let piece = 256
  let pieces = max(1, (rows + piece - 1) / piece)
  let partial = Tensor(uninitialized: [groups, pieces, c])
  ThreadPool.shared.run(items: groups * pieces) { item in
    let (group, first) = (item / pieces, item % pieces * piece)
    var call = ck_gradient_t(
      panels: nil, panel_k: 0, width: Int(CK_ROW_PANEL), rows: nil, rows_stride: 0,
      sums: partial.pointer + item * c)
    ck_pack_gradient_bf16(
      &call, dy.bfloat16Pointer + (group * rows + first) * c, min(piece, rows - first), c)
  }
  let sums = Tensor(uninitialized: perImage ? [n, c] : [c])
  sumMiddle(sums.pointer, partial.pointer, groups, pieces, c, scale: 1)
  withExtendedLifetime((dy, partial)) {}
  return sums
}
