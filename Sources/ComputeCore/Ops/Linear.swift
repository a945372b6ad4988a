/// Linear layer, `y = x · weightᵀ + bias`, as `torch.nn.functional.linear`.
///
/// - Parameters:
///   - x: `[…, in]`, of either type.
///   - weight: `[out, in]`.
///   - bias: `[out]`.
///   - residual: `[…, out]`, added to the result in the same pass.
///   - output: type of the result.
/// - Returns: `[…, out]`.
public func linear(
  _ x: Tensor, weight: Tensor, bias: Tensor? = nil, adding residual: Tensor? = nil,
  output: DType = .float32
) -> Tensor {
  let span = profiled()
  defer { span?.end() }
  precondition(weight.rank == 2, "linear: weight must be [out, in], got \(weight.shape)")
  precondition(
    x.shape.last == weight.shape[1], "linear: weight \(weight.shape) does not take \(x.shape)")
  precondition(
    bias == nil || bias?.shape == [weight.shape[0]],
    "linear: bias must be [\(weight.shape[0])], got \(bias?.shape ?? [])")
  let sizes = LinearSizes(
    rows: x.shape.dropLast().reduce(1, *), inputs: weight.shape[1], outputs: weight.shape[0])
  let shape: Shape = x.shape.dropLast() + [sizes.outputs]
  precondition(
    residual == nil || residual?.shape == shape,
    "linear: \(residual?.shape ?? []) cannot be added to a result of \(shape)")
  let y = linearForward(x, weight, bias, residual, sizes, shape: shape, output: output)
  let inputs = [x, weight] + [bias, residual].compactMap(\.self)
  return y.recorded(
    from: inputs,
    recordedVJP: { dy, wanted in
      let (rows, source) = (
        dy.reshaped([sizes.rows, sizes.outputs]), x.reshaped([sizes.rows, sizes.inputs])
      )
      return [
        wanted[0] ? linear(rows, weight: weight.transposed([1, 0])).reshaped(x.shape) : nil,
        wanted[1] ? linearWeightGradient(rows, source) : nil,
      ] + (bias == nil ? [] : [wanted[2] ? rows.sum(axes: [0]) : nil])
        + (residual == nil ? [] : [dy])
    },
    vjp: { dy in
      let (dx, dw, db) = linearGradients(
        dy, x, weight, sizes,
        needs: (x.isRecorded, weight.isRecorded, bias?.isRecorded ?? false))
      return [dx, dw] + (bias == nil ? [] : [db]) + (residual == nil ? [] : [dy.cast(to: .float32)])
    }
  )
}
