import CKernels

/// Gated GELU: the first half of the last axis times `gelu` of the second half.
///
/// Source: Shazeer 2020, arXiv:2002.05202 (GEGLU); halves in the order of diffusers' `GEGLU`.
///
/// - Parameter x: `[..., 2C]`, of either type.
/// - Returns: `[..., C]`, of `x`'s type.
public func geglu(_ x: Tensor) -> Tensor {
  let span = profiled()
  defer { span?.end() }
  guard let last = x.shape.last, last % 2 == 0 else {
    preconditionFailure("geglu: the last axis must have an even size, got \(x.shape)")
  }
  let width = last / 2
  let result = Tensor(uninitialized: x.shape.dropLast() + [width], dtype: x.dtype)
  parallelRows(x.count / max(1, last), width: last) { rows in
    let start = rows.lowerBound
    switch x.dtype {
    case .float32:
      ck_geglu_f32(result.pointer + start * width, x.pointer + start * last, rows.count, width)
    case .bfloat16:
      ck_geglu_bf16(
        result.bfloat16Pointer + start * width, x.bfloat16Pointer + start * last, rows.count,
        width)
    }
  }
  let saved = x.detached()
  return result.recorded(from: [x]) { dy in [gegluVJP(dy, saved)] }
}

/// `geglu(linear(x, weight:, bias:))`, without the wide result between the two where no gradient is
/// wanted; the numbers are the same.
///
/// - Parameters:
///   - x: `[…, in]`, of either type.
///   - weight: `[2C, in]`.
///   - bias: `[2C]`.
/// - Returns: `[…, C]`, of type `Compute.factorType`.
public func linearGEGLU(_ x: Tensor, weight: Tensor, bias: Tensor? = nil) -> Tensor {
  let type = FactorType.current
  let isRecorded =
    Compute.current.isRecording
    && ([x, weight] + (bias.map { [$0] } ?? [])).contains(where: \.isRecorded)
  guard !isRecorded, weight.rank == 2, weight.shape[0] % (2 * ck_gemm_panel()) == 0 else {
    return geglu(linear(x, weight: weight, bias: bias, output: type.dtype))
  }
  let span = profiled()
  defer { span?.end() }
  precondition(
    x.shape.last == weight.shape[1], "linearGEGLU: weight \(weight.shape) does not take \(x.shape)")
  precondition(
    bias == nil || bias?.shape == [weight.shape[0]],
    "linearGEGLU: bias must be [\(weight.shape[0])], got \(bias?.shape ?? [])")
  let sizes = LinearSizes(
    rows: x.shape.dropLast().reduce(1, *), inputs: weight.shape[1], outputs: weight.shape[0])
  return gatedLinear(
    x, weight, bias, sizes, shape: x.shape.dropLast() + [sizes.outputs / 2], type)
}

/// `d(hidden) = dy · gelu(gate)`, `d(gate) = dy · hidden · gelu'(gate)`, next to each other.
private func gegluVJP(_ dy: Tensor, _ x: Tensor) -> Tensor {
  let last = x.shape[x.rank - 1]
  let width = last / 2
  let result = Tensor(uninitialized: x.shape, dtype: x.dtype)
  let dy = dy.cast(to: x.dtype)
  parallelRows(x.count / max(1, last), width: last) { rows in
    let start = rows.lowerBound
    switch x.dtype {
    case .float32:
      ck_geglu_backward_f32(
        result.pointer + start * last, dy.pointer + start * width, x.pointer + start * last,
        rows.count, width)
    case .bfloat16:
      ck_geglu_backward_bf16(
        result.bfloat16Pointer + start * last, dy.bfloat16Pointer + start * width,
        x.bfloat16Pointer + start * last, rows.count, width)
    }
  }
  return result
}

/// Runs `body` over rows of `width` numbers in parallel, about 16 000 numbers at a time.
func parallelRows(_ rows: Int, width: Int, _ body: (Range<Int>) -> Void) {
  parallelChunks(rows, chunk: max(1, 16_384 / max(1, width)), body)
}
