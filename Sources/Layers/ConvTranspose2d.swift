import ComputeCore

/// A transposed 2-D convolution with a square kernel: the gradient of `Conv2d` by its input.
public final class ConvTranspose2d: Module {
  /// `[in, kh, kw, out]`; checkpoints have `[in, out, kh, kw]`.
  public let weight: Parameter
  /// `[out]`.
  public let bias: Parameter?
  /// Distance between the places where inputs land, in output pixels.
  public let stride: Int
  /// Rows and columns cut off the output on every side.
  public let padding: Int
  /// Rows and columns added at the bottom and on the right.
  public let outputPadding: Int

  /// A transposed convolution initialised as torch does it.
  public init(
    _ inChannels: Int, _ outChannels: Int, kernelSize: Int, stride: Int = 1, padding: Int = 0,
    outputPadding: Int = 0, bias: Bool = true
  ) {
    // torch takes the fan-in from the second axis of the weight, which is `out` here.
    let fanIn = outChannels * kernelSize * kernelSize
    let start = Parameter.Initialization.uniform(bound: 1 / Float(max(1, fanIn)).squareRoot())
    weight = Parameter(
      [inChannels, kernelSize, kernelSize, outChannels], start, layout: .convolution)
    self.bias = bias ? Parameter([outChannels], start) : nil
    self.stride = stride
    self.padding = padding
    self.outputPadding = outputPadding
  }

  /// `x` `[N, H, W, in]` → `[N, (H - 1) · stride - 2 · padding + kernel + outputPadding, …, out]`.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    convTranspose2d(
      x, weight: weight.value, bias: bias?.value, stride: stride, padding: Padding(padding),
      outputPadding: outputPadding)
  }
}
