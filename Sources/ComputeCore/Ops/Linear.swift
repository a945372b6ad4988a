/// Linear layer, `y = x · weightᵀ + bias`, as `torch.nn.functional.linear`.
///
/// - Parameters:
///   - x: `[…, in]`.
///   - weight: `[out, in]`.
///   - bias: `[out]`.
/// - Returns: `[…, out]`.
public func linear(_ x: Tensor, weight: Tensor, bias: Tensor? = nil) -> Tensor {
  let span = profiled()
  defer { span?.end() }
  precondition(weight.rank == 2, "linear: weight must be [out, in], got \(weight.shape)")
  precondition(
    x.shape.last == weight.shape[1], "linear: weight \(weight.shape) does not take \(x.shape)")
  let (out, inputs) = (weight.shape[0], weight.shape[1])
  let rows = x.shape.dropLast().reduce(1, *)
  let y = conv2d(
    x.reshaped([rows, 1, 1, inputs]), weight: weight.reshaped([out, 1, 1, inputs]), bias: bias)
  return y.reshaped(x.shape.dropLast() + [out])
}
