import CKernels

/// Layer normalisation over the last axis.
///
/// Source: Ba et al. 2016, arXiv:1607.06450.
///
/// - Parameters:
///   - x: `[..., C]`.
///   - weight: `[C]`.
///   - bias: `[C]`.
///   - eps: added to the variance.
///   - output: type of the result.
/// - Returns: a tensor of `x`'s shape.
public func layerNorm(
  _ x: Tensor, weight: Tensor, bias: Tensor, eps: Float = 1e-5, output: DType = .float32
) -> Tensor {
  let span = profiled()
  defer { span?.end() }
  guard let width = x.shape.last, width > 0 else {
    preconditionFailure("layerNorm: x must be [..., C], got \(x.shape)")
  }
  precondition(
    weight.shape == [width] && bias.shape == [width],
    "layerNorm: expected weight and bias [\(width)], got \(weight.shape) and \(bias.shape)")
  let rows = x.count / width
  let result = Tensor(uninitialized: x.shape, dtype: output)
  let (mean, rstd) = (Tensor(uninitialized: [rows]), Tensor(uninitialized: [rows]))
  let (source, w, b) = (x.pointer, weight.pointer, bias.pointer)
  let (m, s) = (mean.pointer, rstd.pointer)
  parallelRows(rows, width: width) { range in
    let first = range.lowerBound
    ck_layer_norm(
      result.address(first * width), result.isBFloat16, m + first, s + first,
      source + first * width, w, b, eps, range.count, width)
  }
  let (savedX, savedWeight) = (x.detached(), weight.detached())
  let needsX = x.isRecorded
  let needsParameters = weight.isRecorded || bias.isRecorded
  return result.recorded(from: [x, weight, bias]) { dy in
    layerNormVJP(
      dy, savedX, savedWeight, mean: mean, rstd: rstd, needsX: needsX,
      needsParameters: needsParameters)
  }
}

/// With `g = dy · weight` and means over a row, `dx = rstd · (g - mean(g) - x̂ · mean(g · x̂))`.
private func layerNormVJP(
  _ dy: Tensor, _ x: Tensor, _ weight: Tensor, mean: Tensor, rstd: Tensor, needsX: Bool,
  needsParameters: Bool
) -> [Tensor?] {
  let width = weight.count
  let rows = mean.count
  let pieceRows = max(16, 65_536 / width)
  let pieces = (rows + pieceRows - 1) / pieceRows
  let result = needsX ? Tensor(uninitialized: x.shape) : nil
  let partial = needsParameters ? Tensor(uninitialized: [pieces, 2, width]) : nil
  let (dx, sums) = (result?.pointer, partial?.pointer)
  let (source, w) = (x.pointer, weight.pointer)
  let (m, s) = (mean.pointer, rstd.pointer)
  ThreadPool.shared.run(items: pieces) { piece in
    let first = piece * pieceRows
    let target = sums.map { $0 + piece * 2 * width }
    ck_layer_norm_backward(
      dx.map { $0 + first * width }, target, target.map { $0 + width },
      dy.address(first * width), dy.isBFloat16, source + first * width, m + first, s + first, w,
      min(pieceRows, rows - first), width)
  }
  guard let partial else { return [result, nil, nil] }
  let parameters = Tensor(uninitialized: [2, width])
  withExtendedLifetime(partial) {
    sumMiddle(parameters.pointer, partial.pointer, 1, pieces, 2 * width, scale: 1)
  }
  return [
    result, parameters.sliced(axis: 0, 0..<1).reshaped([width]),
    parameters.sliced(axis: 0, 1..<2).reshaped([width]),
  ]
}
