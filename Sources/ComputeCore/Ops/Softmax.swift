import CKernels

/// `e^x` divided by its sum over the last axis.
///
/// - Parameter x: `[..., C]`.
/// - Returns: a tensor of `x`'s shape; each row adds up to 1.
public func softmax(_ x: Tensor) -> Tensor {
  let span = profiled()
  defer { span?.end() }
  guard let width = x.shape.last else {
    preconditionFailure("softmax: x must have an axis, got shape []")
  }
  let result = Tensor(uninitialized: x.shape)
  let (y, source) = (result.pointer, x.pointer)
  parallelRows(x.count / max(1, width), width: width) { rows in
    let start = rows.lowerBound * width
    ck_softmax_f32(y + start, source + start, rows.count, width)
  }
  return result.recorded(from: [x]) { dy in [softmaxVJP(dy, result)] }
}

/// `dx = y · (dy - Σ dy · y)`.
private func softmaxVJP(_ dy: Tensor, _ y: Tensor) -> Tensor {
  let width = y.shape[y.rank - 1]
  let result = Tensor(uninitialized: y.shape)
  let (dx, d, p) = (result.pointer, dy.pointer, y.pointer)
  parallelRows(y.count / max(1, width), width: width) { rows in
    let start = rows.lowerBound * width
    ck_softmax_backward_f32(dx + start, d + start, p + start, rows.count, width)
  }
  return result
}
