import CKernels

/// Logistic function, `1 / (1 + e^-x)`, elementwise.
public func sigmoid(_ x: Tensor) -> Tensor {
  elementwise(
    x, ck_sigmoid_f32, saving: .result, backward: ck_sigmoid_backward_f32,
    second: .derivative { x in
      let y = sigmoid(x)
      return y * (1 - y)
    })
}

/// Sigmoid linear unit, `x · σ(x)`, elementwise.
///
/// Source: Elfwing et al. 2017, arXiv:1702.03118 (SiLU).
public func silu(_ x: Tensor) -> Tensor {
  elementwise(
    x, ck_silu_f32, backward: ck_silu_backward_f32,
    second: .derivative { x in
      let y = sigmoid(x)
      return y * (1 + x * (1 - y))
    })
}

/// Rectified linear unit, `max(x, 0)`, elementwise.
public func relu(_ x: Tensor) -> Tensor {
  elementwise(x, ck_relu_f32, backward: ck_relu_backward_f32, second: .piecewiseLinear)
}

/// `x` where it is positive and `slope · x` elsewhere.
public func leakyReLU(_ x: Tensor, slope: Float = 0.2) -> Tensor {
  elementwise(
    x, { ck_leaky_relu_f32($0, $1, slope, $2) },
    backward: { ck_leaky_relu_backward_f32($0, $1, $2, slope, $3) }, second: .piecewiseLinear)
}

/// Gaussian error linear unit, `x · Φ(x)`, elementwise.
///
/// Source: Hendrycks & Gimpel 2016, arXiv:1606.08415; the exact form with erf.
public func gelu(_ x: Tensor) -> Tensor {
  elementwise(x, ck_gelu_f32, backward: ck_gelu_backward_f32)
}

/// Gaussian error linear unit with the tanh approximation of arXiv:1606.08415, elementwise.
public func geluTanh(_ x: Tensor) -> Tensor {
  elementwise(x, ck_gelu_tanh_f32, backward: ck_gelu_tanh_backward_f32)
}

/// Gaussian error linear unit approximated as `x · σ(1.702 x)`, elementwise; used by CLIP.
public func quickGELU(_ x: Tensor) -> Tensor {
  elementwise(x, ck_quick_gelu_f32, backward: ck_quick_gelu_backward_f32)
}
