import CKernels

/// Mean of `(x - target)²`, or of `weights · (x - target)²`.
///
/// - Parameters:
///   - x: any shape.
///   - target: of `x`'s shape.
///   - weights: broadcast to `x`'s shape, such as `[N, 1, 1, 1]`; the sum is divided by the number
///     of elements, not by the sum of the weights.
/// - Returns: shape `[]`.
public func meanSquaredError(_ x: Tensor, _ target: Tensor, weights: Tensor? = nil) -> Tensor {
  checkLossShapes(x, target, "meanSquaredError")
  if let weights { return (square(x - target) * weights).mean() }
  return meanLoss(x, target, ck_squared_error_f32) {
    ck_squared_error_backward_f32($0, $1, $2, $3, $4)
  }
}

/// Mean of `|x - target|`, of shape `[]`.
public func meanAbsoluteError(_ x: Tensor, _ target: Tensor) -> Tensor {
  checkLossShapes(x, target, "meanAbsoluteError")
  return meanLoss(x, target, ck_absolute_error_f32) {
    ck_absolute_error_backward_f32($0, $1, $2, $3, $4)
  }
}

/// Mean binary cross entropy of logits with probabilities, of shape `[]`.
///
/// - Parameters:
///   - logits: any shape.
///   - target: probabilities of `logits`' shape; not differentiated.
/// - Returns: the mean of `-t · ln σ(x) - (1 - t) · ln(1 - σ(x))`.
public func bceWithLogits(_ logits: Tensor, _ target: Tensor) -> Tensor {
  checkLossShapes(logits, target, "bceWithLogits")
  return meanLoss(logits, target.detached(), ck_bce_logits_f32) {
    ck_bce_logits_backward_f32($0, $1, $2, $3, $4)
  }
}

/// Mean cross entropy of logits with classes, of shape `[]`.
///
/// - Parameters:
///   - logits: `[N, K]`.
///   - ids: `N` classes in `0..<K`.
/// - Returns: the mean of `-ln softmax(logits)[id]`.
public func crossEntropy(_ logits: Tensor, ids: [Int32]) -> Tensor {
  let span = profiled()
  defer { span?.end() }
  precondition(
    logits.rank == 2 && logits.shape[0] == ids.count && !ids.isEmpty,
    "crossEntropy: expected [\(ids.count), K] logits and at least one id, got \(logits.shape)")
  let (n, k) = (logits.shape[0], logits.shape[1])
  precondition(
    ids.allSatisfy { (0..<k).contains(Int($0)) }, "crossEntropy: ids must lie in 0..<\(k)")
  let x = logits.detached()
  let source = x.pointer
  let chunk = max(1, 16_384 / k)
  let total = summedChunks(n, chunk: chunk) { sum, rows in
    ids.withUnsafeBufferPointer { ids in
      ck_cross_entropy_f32(
        sum, source + rows.lowerBound * k, ids.baseAddress.map { $0 + rows.lowerBound },
        rows.count, k)
    }
  }
  return Tensor(Float(total / Double(n))).recorded(from: [logits]) { dy in
    let result = Tensor(uninitialized: [n, k])
    let (dx, logits, scale) = (result.pointer, x.pointer, dy.item / Float(n))
    parallelChunks(n, chunk: chunk) { rows in
      let start = rows.lowerBound
      ids.withUnsafeBufferPointer { ids in
        ck_cross_entropy_backward_f32(
          dx + start * k, logits + start * k, ids.baseAddress.map { $0 + start }, scale,
          rows.count, k)
      }
    }
    return [result]
  }
}

private typealias LossKernel = (
  _ sum: UnsafeMutablePointer<Float>?, _ x: UnsafePointer<Float>?, _ target: UnsafePointer<Float>?,
  _ count: Int
) -> Void

private typealias LossBackwardKernel = (
  _ dx: UnsafeMutablePointer<Float>?, _ x: UnsafePointer<Float>?, _ target: UnsafePointer<Float>?,
  _ scale: Float, _ count: Int
) -> Void

private func checkLossShapes(_ x: Tensor, _ target: Tensor, _ operation: String) {
  precondition(
    x.shape == target.shape && x.count > 0,
    "\(operation): expected two tensors of one shape, got \(x.shape) and \(target.shape)")
}

/// The mean of an elementwise loss; a recorded target gets the negative gradient of `x`.
private func meanLoss(
  _ x: Tensor, _ target: Tensor, _ kernel: LossKernel, backward: @escaping LossBackwardKernel,
  operation: StaticString = #function
) -> Tensor {
  let span = profiled(operation)
  defer { span?.end() }
  let (savedX, savedTarget) = (x.detached(), target.detached())
  let (source, t, count) = (x.pointer, target.pointer, x.count)
  let total = summedChunks(count, chunk: 16_384) { sum, range in
    kernel(sum, source + range.lowerBound, t + range.lowerBound, range.count)
  }
  let (needsX, needsTarget) = (x.isRecorded, target.isRecorded)
  return Tensor(Float(total / Double(count))).recorded(
    from: [x, target], operation: operation
  ) { dy in
    let result = Tensor(uninitialized: savedX.shape)
    let (dx, source, t) = (result.pointer, savedX.pointer, savedTarget.pointer)
    let scale = dy.item / Float(count)
    parallelChunks(count) { range in
      let start = range.lowerBound
      backward(dx + start, source + start, t + start, scale, range.count)
    }
    return [needsX ? result : nil, needsTarget ? -result : nil]
  }
}

/// The sum in double precision of what `body` finds for each chunk.
private func summedChunks(
  _ count: Int, chunk: Int, _ body: (UnsafeMutablePointer<Float>, Range<Int>) -> Void
) -> Double {
  let partial = Tensor(uninitialized: [(count + chunk - 1) / chunk])
  let sums = partial.pointer
  parallelChunks(count, chunk: chunk) { body(sums + $0.lowerBound / chunk, $0) }
  return partial.values.reduce(0) { $0 + Double($1) }
}
