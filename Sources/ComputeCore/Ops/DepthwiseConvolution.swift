import CKernels

/// Convolution of each channel with a kernel of its own, as `torch.nn.functional.conv2d` with as many
/// groups as channels; in 32 bits.
///
/// - Parameters:
///   - x: `[N, H, W, C]`.
///   - weight: `[C, kh, kw, 1]`.
///   - bias: `[C]`.
///   - stride: pixels between two outputs, at least 1, the same in both directions.
///   - padding: zeros around the picture, at least 0.
/// - Returns: `[N, (H + top + bottom − kh) / stride + 1, …, C]`.
public func depthwiseConv2d(
  _ x: Tensor, weight: Tensor, bias: Tensor? = nil, stride: Int = 1,
  padding: Padding = Padding(0)
) -> Tensor {
  let span = profiled()
  defer { span?.end() }
  let shape = depthwiseShape(x, weight, stride: stride, padding: padding)
  let channels = x.shape[3]
  precondition(
    bias == nil || bias?.shape == [channels],
    "depthwiseConv2d: bias must be [\(channels)], got \(bias?.shape ?? [])")
  let source = x.detached().cast(to: .float32)
  let taps = weight.detached().reshaped([channels, -1]).transposed([1, 0])
  let result = Tensor(uninitialized: [x.shape[0], shape.out_height, shape.out_width, channels])
  let (y, px, w, b) = (
    result.pointer, source.pointer, taps.pointer, bias.map { UnsafePointer($0.pointer) }
  )
  let (picture, row) = (x.shape[1] * x.shape[2] * channels, shape.out_width * channels)
  parallelChunks(x.shape[0] * shape.out_height, chunk: max(1, 16_384 / max(1, row))) { rows in
    for index in rows {
      let (item, line) = (index / shape.out_height, index % shape.out_height)
      ck_depthwise_row_f32(y + index * row, px + item * picture, w, b, shape, line)
    }
  }
  withExtendedLifetime((source, taps, bias)) {}
  return result.recorded(from: [x, weight] + (bias.map { [$0] } ?? [])) { dy in
    let dy = dy.cast(to: .float32)
    return [
      x.isRecorded ? depthwiseInputGradient(dy, taps, shape).cast(to: x.dtype) : nil,
      weight.isRecorded ? depthwiseWeightGradient(dy, source, weight.shape, shape) : nil,
    ] + (bias.map { [$0.isRecorded ? dy.sum(axes: [0, 1, 2]) : nil] } ?? [])
  }
}

private func depthwiseShape(
  _ x: Tensor, _ weight: Tensor, stride: Int, padding: Padding
) -> ck_depthwise_t {
  precondition(x.rank == 4, "depthwiseConv2d: x must be [N, H, W, C], got \(x.shape)")
  precondition(
    weight.rank == 4 && weight.shape[0] == x.shape[3] && weight.shape[3] == 1,
    "depthwiseConv2d: weight must be [\(x.shape[3]), kh, kw, 1], got \(weight.shape)")
  let (height, width) = (
    x.shape[1] + padding.top + padding.bottom, x.shape[2] + padding.left + padding.right
  )
  precondition(
    stride > 0 && min(padding.top, padding.bottom, padding.left, padding.right) >= 0
      && height >= weight.shape[1] && width >= weight.shape[2],
    "depthwiseConv2d: a kernel of \(weight.shape) with stride \(stride) does not fit \(x.shape)")
  return ck_depthwise_t(
    height: x.shape[1], width: x.shape[2], channels: x.shape[3], kernel_height: weight.shape[1],
    kernel_width: weight.shape[2], stride: stride, top: padding.top, left: padding.left,
    out_height: (height - weight.shape[1]) / stride + 1,
    out_width: (width - weight.shape[2]) / stride + 1)
}

private func depthwiseInputGradient(_ dy: Tensor, _ taps: Tensor, _ shape: ck_depthwise_t) -> Tensor
{
  let result = Tensor.zeros([dy.shape[0], shape.height, shape.width, shape.channels])
  let (dx, d, w) = (result.pointer, dy.pointer, taps.pointer)
  let (picture, row) = (
    shape.height * shape.width * shape.channels, shape.out_width * shape.channels
  )
  ThreadPool.shared.run(items: dy.shape[0]) { item in
    for line in 0..<shape.out_height {
      ck_depthwise_row_backward_f32(
        dx + item * picture, d + (item * shape.out_height + line) * row, w, shape, line)
    }
  }
  return result
}

/// One item per element of the kernel, which goes through all pictures.
private func depthwiseWeightGradient(
  _ dy: Tensor, _ x: Tensor, _ weightShape: Shape, _ shape: ck_depthwise_t
) -> Tensor {
  let taps = shape.kernel_height * shape.kernel_width
  let result = Tensor.zeros([taps, shape.channels])
  let (dw, d, source) = (result.pointer, dy.pointer, x.pointer)
  let (picture, out) = (
    shape.height * shape.width * shape.channels,
    shape.out_height * shape.out_width * shape.channels
  )
  ThreadPool.shared.run(items: taps) { tap in
    for item in 0..<dy.shape[0] {
      ck_depthwise_weight_backward_f32(
        dw + tap * shape.channels, d + item * out, source + item * picture, shape,
        tap / shape.kernel_width, tap % shape.kernel_width)
    }
  }
  return result.transposed([1, 0]).reshaped(weightShape)
}
