/// Rows and columns of zeros around a picture.
public struct Padding: Equatable, Sendable {
  /// Rows above.
  public let top: Int
  /// Rows below.
  public let bottom: Int
  /// Columns to the left.
  public let left: Int
  /// Columns to the right.
  public let right: Int

  /// A number of its own for each side.
  public init(top: Int, bottom: Int, left: Int, right: Int) {
    self.top = top
    self.bottom = bottom
    self.left = left
    self.right = right
  }

  /// The same number on every side.
  public init(_ all: Int) {
    self.init(top: all, bottom: all, left: all, right: all)
  }
}

/// Two-dimensional convolution (cross-correlation), as `torch.nn.functional.conv2d`.
///
/// - Parameters:
///   - x: `[N, H, W, in]`, of either type.
///   - weight: `[out, kh, kw, in]`.
///   - bias: `[out]`, or `[N, out]` with one for each picture.
///   - stride: pixels between two outputs, at least 1, the same in both directions.
///   - padding: zeros around the picture, at least 0.
///   - residual: added to the result in the same pass; of its shape.
///   - output: type of the result.
/// - Returns: `[N, (H + top + bottom − kh) / stride + 1, …, out]`.
public func conv2d(
  _ x: Tensor, weight: Tensor, bias: Tensor? = nil, stride: Int = 1,
  padding: Padding = Padding(0), adding residual: Tensor? = nil, output: DType = .float32
) -> Tensor {
  let span = profiled()
  defer { span?.end() }
  precondition(x.rank == 4, "conv2d: x must be [N, H, W, C], got \(x.shape)")
  precondition(weight.rank == 4, "conv2d: weight must be [out, kh, kw, in], got \(weight.shape)")
  let g = ConvolutionGeometry(
    images: x.shape[0], height: x.shape[1], width: x.shape[2], inChannels: x.shape[3],
    outChannels: weight.shape[0], kernelHeight: weight.shape[1], kernelWidth: weight.shape[2],
    stride: stride, padding: padding)
  g.checkSteps("conv2d")
  precondition(
    weight.shape[3] == g.inChannels,
    "conv2d: weight \(weight.shape) does not take \(g.inChannels) channels")
  let isPerImage = bias?.rank == 2
  precondition(
    bias == nil || bias?.shape == (isPerImage ? [g.images] : []) + [g.outChannels],
    "conv2d: bias must be [\(g.outChannels)] or [\(g.images), \(g.outChannels)]")
  precondition(
    g.paddedHeight >= g.kernelHeight && g.paddedWidth >= g.kernelWidth,
    "conv2d: \(x.shape) is smaller than the kernel of \(weight.shape)")
  if g.isPointwise && !isPerImage {
    return linear(
      x, weight: weight.reshaped([g.outChannels, g.inChannels]), bias: bias, adding: residual,
      output: output)
  }
  let shape = [g.images, g.outHeight, g.outWidth, g.outChannels]
  precondition(
    residual == nil || residual?.shape == shape,
    "conv2d: \(residual?.shape ?? []) cannot be added to a result of \(shape)")
  let y = convolutionForward(x, weight, bias, g, adding: residual, output: output)
  let inputs = [x, weight] + [bias, residual].compactMap(\.self)
  return y.recorded(
    from: inputs,
    recordedVJP: { dy, wanted in
      [
        wanted[0] ? inputGradient(dy, weight, g) : nil,
        wanted[1] ? weightGradient(dy, x, g) : nil,
      ] + (bias == nil ? [] : [wanted[2] ? dy.sum(axes: isPerImage ? [1, 2] : [0, 1, 2]) : nil])
        + (residual == nil ? [] : [dy])
    },
    vjp: { dy in
      [
        x.isRecorded ? convolutionInputGradient(dy, weight, g, output: x.dtype) : nil,
        weight.isRecorded ? convolutionWeightGradient(dy, x, g) : nil,
      ] + (bias.map { [$0.isRecorded ? channelSums(dy, perImage: isPerImage) : nil] } ?? [])
        + (residual == nil ? [] : [dy.cast(to: .float32)])
    }
  )
}

/// Transposed two-dimensional convolution, as `torch.nn.functional.conv_transpose2d`: the gradient
/// of `conv2d` by its input, used as a layer.
///
/// - Parameters:
///   - x: `[N, H, W, in]`.
///   - weight: `[in, kh, kw, out]`.
///   - bias: `[out]`.
///   - stride: pixels between the places of two neighbouring inputs.
///   - padding: rows and columns cut off on each side, at least 0.
///   - outputPadding: rows and columns added at the bottom and right, less than `stride`.
/// - Returns: `[N, (H − 1) · stride − top − bottom + kh + outputPadding, …, out]`.
public func convTranspose2d(
  _ x: Tensor, weight: Tensor, bias: Tensor? = nil, stride: Int = 1,
  padding: Padding = Padding(0), outputPadding: Int = 0
) -> Tensor {
  let span = profiled()
  defer { span?.end() }
  precondition(x.rank == 4, "convTranspose2d: x must be [N, H, W, C], got \(x.shape)")
  precondition(
    weight.rank == 4 && weight.shape[0] == x.shape[3],
    "convTranspose2d: weight must be [\(x.shape[3]), kh, kw, out], got \(weight.shape)")
  let (kh, kw) = (weight.shape[1], weight.shape[2])
  let g = ConvolutionGeometry(
    images: x.shape[0],
    height: (x.shape[1] - 1) * stride - padding.top - padding.bottom + kh + outputPadding,
    width: (x.shape[2] - 1) * stride - padding.left - padding.right + kw + outputPadding,
    inChannels: weight.shape[3], outChannels: weight.shape[0], kernelHeight: kh, kernelWidth: kw,
    stride: stride, padding: padding)
  g.checkSteps("convTranspose2d")
  precondition(
    (0..<stride).contains(outputPadding),
    "convTranspose2d: outputPadding must be in 0..<\(stride), got \(outputPadding)")
  precondition(
    x.shape[1] > 0 && x.shape[2] > 0 && g.height > 0 && g.width > 0,
    "convTranspose2d: nothing is left of \(x.shape)")
  precondition(
    bias == nil || bias?.shape == [g.inChannels], "convTranspose2d: bias must be [\(g.inChannels)]")
  let y = convolutionInputGradient(x, weight, bias: bias, g)
  return y.recorded(
    from: [x, weight] + (bias.map { [$0] } ?? []),
    recordedVJP: { dy, wanted in
      [wanted[0] ? product(dy, weight, g) : nil, wanted[1] ? weightGradient(x, dy, g) : nil]
        + (bias == nil ? [] : [wanted[2] ? dy.sum(axes: [0, 1, 2]) : nil])
    },
    vjp: { dy in
      [
        x.isRecorded ? convolutionForward(dy, weight, nil, g) : nil,
        weight.isRecorded ? convolutionWeightGradient(x, dy, g) : nil,
      ] + (bias.map { [$0.isRecorded ? dy.sum(axes: [0, 1, 2]) : nil] } ?? [])
    }
  )
}
