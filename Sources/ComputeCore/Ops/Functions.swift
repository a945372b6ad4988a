import CKernels

/// A kernel that turns `count` numbers at `x` into as many at `y`.
typealias UnaryKernel = (
  _ y: UnsafeMutablePointer<Float>?, _ x: UnsafePointer<Float>?, _ count: Int
) -> Void

/// A kernel that turns `count` gradients by a result into gradients by the input.
typealias UnaryBackwardKernel = (
  _ dx: UnsafeMutablePointer<Float>?, _ dy: UnsafePointer<Float>?, _ saved: UnsafePointer<Float>?,
  _ count: Int
) -> Void

/// What the gradient of an elementwise function is computed from.
enum SavedValue {
  case input
  case result
}

/// An elementwise function of `x` and its gradient.
func elementwise(
  _ x: Tensor, _ kernel: UnaryKernel, saving saved: SavedValue = .input,
  backward: @escaping UnaryBackwardKernel, second: SecondOrder? = nil,
  operation: StaticString = #function
) -> Tensor {
  let span = profiled(operation)
  defer { span?.end() }
  let y = x.mapped { kernel($0, $1, $2) }
  let kept = saved == .input ? x.detached() : y
  let recordedVJP: RecordedVJP? =
    switch second {
    case nil: nil
    case .piecewiseLinear:
      { dy, _ in [piecewiseLinearGradient(dy, x.detached(), backward, operation)] }
    case .derivative(let derivative): { dy, _ in [dy * derivative(x)] }
    }
  return y.recorded(
    from: [x], operation: operation, function: operation, recordedVJP: recordedVJP
  ) { dy in [elementwiseGradient(dy, kept, backward)] }
}

/// How the gradient of an elementwise function is differentiated.
enum SecondOrder {
  /// Made of straight pieces: the gradient depends on `x` by the piece only.
  case piecewiseLinear
  /// By its derivative, a function of recorded operations.
  case derivative((_ x: Tensor) -> Tensor)
}

private func elementwiseGradient(
  _ dy: Tensor, _ saved: Tensor, _ backward: UnaryBackwardKernel
) -> Tensor {
  let result = Tensor(uninitialized: dy.shape)
  let (dx, source, v) = (result.pointer, dy.pointer, saved.pointer)
  parallelChunks(dy.count) { range in
    let start = range.lowerBound
    backward(dx + start, source + start, v + start, range.count)
  }
  return result
}

/// The gradient of a function of straight pieces, which is linear in `dy`.
private func piecewiseLinearGradient(
  _ dy: Tensor, _ x: Tensor, _ backward: @escaping UnaryBackwardKernel,
  _ operation: StaticString
) -> Tensor {
  elementwiseGradient(dy, x, backward).recorded(from: [dy], operation: operation) { ddx, _ in
    [piecewiseLinearGradient(ddx, x, backward, operation)]
  }
}

/// e to the power of every element.
public func exp(_ x: Tensor) -> Tensor {
  elementwise(
    x, ck_exp_f32, saving: .result, backward: ck_exp_backward_f32, second: .derivative(exp))
}

/// Natural logarithm of every element; -infinity at 0, NaN below.
public func log(_ x: Tensor) -> Tensor {
  elementwise(
    x, ck_log_f32, backward: ck_log_backward_f32, second: .derivative { Float(1) / $0 })
}

/// Square root of every element; NaN below 0.
public func sqrt(_ x: Tensor) -> Tensor {
  elementwise(
    x, ck_sqrt_f32, saving: .result, backward: ck_sqrt_backward_f32,
    second: .derivative { Float(0.5) / sqrt($0) })
}

/// Absolute value of every element; the gradient at 0 is 0.
public func abs(_ x: Tensor) -> Tensor {
  elementwise(x, ck_abs_f32, backward: ck_abs_backward_f32, second: .piecewiseLinear)
}

/// Every element times itself.
public func square(_ x: Tensor) -> Tensor {
  elementwise(
    x, ck_square_f32, backward: ck_square_backward_f32, second: .derivative { 2 * $0 })
}

/// Hyperbolic tangent of every element.
public func tanh(_ x: Tensor) -> Tensor {
  elementwise(
    x, ck_tanh_f32, saving: .result, backward: ck_tanh_backward_f32,
    second: .derivative { 1 - square(tanh($0)) })
}

extension Tensor {
  /// Every element limited to `range`; the gradient is 0 outside it.
  public func clamped(to range: ClosedRange<Float>) -> Tensor {
    let (low, high) = (range.lowerBound, range.upperBound)
    return elementwise(
      self, { ck_clamp_f32($0, $1, low, high, $2) },
      backward: { ck_clamp_backward_f32($0, $1, $2, low, high, $3) }, second: .piecewiseLinear)
  }
}
