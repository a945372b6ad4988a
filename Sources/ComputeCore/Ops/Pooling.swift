import CKernels

/// The largest pixel of each window, per channel.
///
/// - Parameters:
///   - x: `[N, H, W, C]`.
///   - size: edge of the window.
///   - stride: how far the window moves.
///   - padding: rows and columns around the picture that never win; at most half of `size`.
/// - Returns: `[N, (H + 2 padding - size) / stride + 1, ..., C]`, rounded down.
public func maxPool2d(_ x: Tensor, size: Int, stride: Int, padding: Int = 0) -> Tensor {
  let span = profiled()
  defer { span?.end() }
  let pooling = Pooling(x, size: size, stride: stride, padding: padding, "maxPool2d")
  let result = Tensor(uninitialized: pooling.resultShape)
  let (y, source) = (result.pointer, x.pointer)
  pooling.forEachRow { item, row in
    ck_max_pool_row_f32(
      y + pooling.resultOffset(item, row), source + item * pooling.itemCount, pooling.picture,
      pooling.window, row, pooling.width)
  }
  let saved = x.detached()
  return result.recorded(from: [x]) { dy in [maxPoolVJP(dy, saved, result, pooling)] }
}

/// The mean of each window, per channel; torch's `avg_pool2d` with its default settings.
///
/// - Parameters:
///   - x: `[N, H, W, C]`.
///   - size: edge of the window.
///   - stride: how far the window moves.
///   - padding: rows and columns of zeros around the picture, which are counted.
/// - Returns: `[N, (H + 2 padding - size) / stride + 1, ..., C]`, rounded down.
public func averagePool2d(_ x: Tensor, size: Int, stride: Int, padding: Int = 0) -> Tensor {
  let span = profiled()
  defer { span?.end() }
  let pooling = Pooling(x, size: size, stride: stride, padding: padding, "averagePool2d")
  let result = Tensor(uninitialized: pooling.resultShape)
  let (y, source) = (result.pointer, x.pointer)
  pooling.forEachRow { item, row in
    ck_average_pool_row_f32(
      y + pooling.resultOffset(item, row), source + item * pooling.itemCount, pooling.picture,
      pooling.window, row, pooling.width)
  }
  return result.recorded(from: [x]) { dy, _ in
    [
      averagePoolVJP(dy, pooling).recorded(from: [dy]) { ddx, _ in
        [averagePool2d(ddx, size: size, stride: stride, padding: padding)]
      }
    ]
  }
}

/// The mean over all pixels, `[N, H, W, C]` → `[N, C]`.
public func globalAveragePool(_ x: Tensor) -> Tensor {
  precondition(x.rank == 4, "globalAveragePool: x must be [N, H, W, C], got \(x.shape)")
  return x.mean(axes: [1, 2])
}

private func maxPoolVJP(_ dy: Tensor, _ x: Tensor, _ y: Tensor, _ pooling: Pooling) -> Tensor {
  let result = Tensor.zeros(x.shape)
  let channels = x.shape[3]
  let scratch = Tensor(uninitialized: [x.shape[0], channels])
  let (dx, rest, d, px, py) = (
    result.pointer, scratch.pointer, dy.pointer, x.pointer, y.pointer
  )
  ThreadPool.shared.run(items: x.shape[0]) { item in
    for row in 0..<pooling.height {
      let start = item * pooling.itemCount
      let offset = pooling.resultOffset(item, row)
      ck_max_pool_row_backward_f32(
        dx + start, rest + item * channels, d + offset, px + start, py + offset, pooling.picture,
        pooling.window, row, pooling.width)
    }
  }
  withExtendedLifetime(scratch) {}
  return result
}

private func averagePoolVJP(_ dy: Tensor, _ pooling: Pooling) -> Tensor {
  let result = Tensor.zeros(pooling.shape)
  let (dx, d) = (result.pointer, dy.pointer)
  ThreadPool.shared.run(items: pooling.shape[0]) { item in
    for row in 0..<pooling.height {
      ck_average_pool_row_backward_f32(
        dx + item * pooling.itemCount, d + pooling.resultOffset(item, row), pooling.picture,
        pooling.window, row, pooling.width)
    }
  }
  return result
}

/// Sizes of a pooling operation.
private struct Pooling {
  let shape: Shape
  let window: ck_window_t
  let height: Int
  let width: Int

  init(_ x: Tensor, size: Int, stride: Int, padding: Int, _ operation: String) {
    precondition(x.rank == 4, "\(operation): x must be [N, H, W, C], got \(x.shape)")
    precondition(
      size > 0 && stride > 0 && padding >= 0 && 2 * padding <= size
        && x.shape[1] + 2 * padding >= size && x.shape[2] + 2 * padding >= size,
      "\(operation): size \(size), stride \(stride), padding \(padding) do not fit \(x.shape)")
    shape = x.shape
    window = ck_window_t(size: size, stride: stride, padding: padding)
    height = (x.shape[1] + 2 * padding - size) / stride + 1
    width = (x.shape[2] + 2 * padding - size) / stride + 1
  }

  var picture: ck_picture_t {
    ck_picture_t(height: shape[1], width: shape[2], channels: shape[3])
  }

  var resultShape: Shape { [shape[0], height, width, shape[3]] }

  /// Elements of one item of the input.
  var itemCount: Int { shape[1] * shape[2] * shape[3] }

  func resultOffset(_ item: Int, _ row: Int) -> Int {
    (item * height + row) * width * shape[3]
  }

  /// Runs `body` for every row of the result, in parallel.
  func forEachRow(_ body: (_ item: Int, _ row: Int) -> Void) {
    parallelRows(shape[0] * height, width: width * shape[3]) { range in
      for index in range { body(index / height, index % height) }
    }
  }
}
