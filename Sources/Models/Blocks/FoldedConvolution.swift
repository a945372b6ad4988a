import ComputeCore
import Layers

/// A convolution with the batch normalisation after it made one, for inference.
///
/// `(W x − μ) / √(σ² + ε) · γ + β` is a convolution with `W` scaled per output channel and a bias.
struct FoldedConvolution {
  /// `[out, kh, kw, in]`.
  let weight: Tensor
  /// `[out]`.
  let bias: Tensor

  /// - Parameters:
  ///   - weight: `[out, kh, kw, in]` of a convolution without a bias.
  ///   - norm: with the running statistics to use.
  init(_ weight: Parameter, _ norm: BatchNorm2d) {
    (self.weight, bias) = Compute.withoutRecording {
      let scale = norm.weight.value / sqrt(norm.runningVar.value + norm.eps)
      return (
        (weight.value * scale.reshaped([-1, 1, 1, 1])).detached(),
        (norm.bias.value - norm.runningMean.value * scale).detached()
      )
    }
  }
}
