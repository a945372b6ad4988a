// The three products of a convolution, each recorded: what one is by one of its factors is another
// of the three, so that gradients of gradients need nothing else.

/// `conv2d` without bias: `x` `[N, H, W, in]`, `weight` `[out, kh, kw, in]` → `[N, H', W', out]`.
func product(_ x: Tensor, _ weight: Tensor, _ g: ConvolutionGeometry) -> Tensor {
  convolutionForward(x, weight, nil, g).recorded(from: [x, weight], operation: "conv2d") {
    dy, wanted in
    [wanted[0] ? inputGradient(dy, weight, g) : nil, wanted[1] ? weightGradient(dy, x, g) : nil]
  }
}

/// Gradient of a convolution by its input: `dy` `[N, H', W', out]` → `[N, H, W, in]`.
func inputGradient(_ dy: Tensor, _ weight: Tensor, _ g: ConvolutionGeometry) -> Tensor {
  convolutionInputGradient(dy, weight, g).recorded(from: [dy, weight], operation: "conv2d") {
    ddx, wanted in
    [wanted[0] ? product(ddx, weight, g) : nil, wanted[1] ? weightGradient(dy, ddx, g) : nil]
  }
}

/// Gradient of a convolution by its weight: `[out, kh, kw, in]`.
func weightGradient(_ dy: Tensor, _ x: Tensor, _ g: ConvolutionGeometry) -> Tensor {
  convolutionWeightGradient(dy, x, g).recorded(from: [dy, x], operation: "conv2d") {
    ddw, wanted in
    [wanted[0] ? product(x, ddw, g) : nil, wanted[1] ? inputGradient(dy, ddw, g) : nil]
  }
}

/// Gradient of a linear layer by its weight: `dy` `[rows, out]`, `x` `[rows, in]` → `[out, in]`.
func linearWeightGradient(_ dy: Tensor, _ x: Tensor) -> Tensor {
  let sizes = LinearSizes(rows: x.shape[0], inputs: x.shape[1], outputs: dy.shape[1])
  let form = Tensor(uninitialized: [sizes.outputs, sizes.inputs])
  let (_, found, _) = linearGradients(dy, x, form, sizes, needs: (false, true, false))
  guard let found else { preconditionFailure("linearGradients gave no gradient by the weight") }
  return found.recorded(from: [dy, x], operation: "linear") { ddw, wanted in
    [
      wanted[0] ? linear(x, weight: ddw) : nil,
      wanted[1] ? linear(dy, weight: ddw.transposed([1, 0])) : nil,
    ]
  }
}
