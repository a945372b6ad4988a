import ComputeCore

/// A 2-D convolution with a square kernel, plus its adapters' corrections.
public final class Conv2d: AdaptableLayer {
  /// `[out, kh, kw, in]`; checkpoints have `[out, in, kh, kw]`.
  public let weight: Parameter
  /// `[out]`.
  public let bias: Parameter?
  /// Each adds to the output.
  public var adapters: [any LinearAdapter] = []
  /// Distance between outputs, in input pixels.
  public let stride: Int
  /// Zeros around the input, which may differ from side to side.
  public let padding: Padding

  /// A convolution with `padding` zeros on every side.
  public convenience init(
    _ inChannels: Int, _ outChannels: Int, kernelSize: Int, stride: Int = 1, padding: Int = 0,
    bias: Bool = true
  ) {
    self.init(
      inChannels, outChannels, kernelSize: kernelSize, stride: stride, padding: Padding(padding),
      bias: bias)
  }

  /// A convolution with its own padding for every side.
  public init(
    _ inChannels: Int, _ outChannels: Int, kernelSize: Int, stride: Int = 1, padding: Padding,
    bias: Bool = true
  ) {
    let fanIn = inChannels * kernelSize * kernelSize
    // torch's default: Kaiming uniform with a = √5, which is this bound.
    let start = Parameter.Initialization.uniform(bound: 1 / Float(max(1, fanIn)).squareRoot())
    weight = Parameter(
      [outChannels, kernelSize, kernelSize, inChannels], start, layout: .convolution)
    self.bias = bias ? Parameter([outChannels], start) : nil
    self.stride = stride
    self.padding = padding
  }

  /// `x` `[N, H, W, in]`, of either type → `[N, H', W', out]` of type `output`.
  ///
  /// - Parameters:
  ///   - x: the picture.
  ///   - shift: `[N, out]`, added to every pixel of a picture.
  ///   - residual: of the result's shape, added to it.
  ///   - output: type of the result.
  /// - Returns: `[N, H', W', out]`.
  public func callAsFunction(
    _ x: Tensor, shiftedBy shift: Tensor? = nil, adding residual: Tensor? = nil,
    output: DType = .float32
  ) -> Tensor {
    conv2d(
      x, weight: weight.value, bias: sum([shift, bias?.value]), stride: stride, padding: padding,
      adding: sum(adapters.map { $0(x) } + [residual]), output: output)
  }

  /// `x` `[N, H, W, in]`, enlarged twice by repeating pixels → `[N, 2 H, 2 W, out]`; for a 3×3 kernel
  /// with one row of zeros around.
  public func upsampled(_ x: Tensor) -> Tensor {
    precondition(
      weight.shape[1] == 3 && stride == 1 && padding == Padding(1),
      "Conv2d: upsampled needs a 3x3 kernel with stride 1 and padding 1")
    if adapters.isEmpty { return upsampledConv2d(x, weight: weight.value, bias: bias?.value) }
    return self(upsampledNearest(x, height: 2 * x.shape[1], width: 2 * x.shape[2]))
  }
}
