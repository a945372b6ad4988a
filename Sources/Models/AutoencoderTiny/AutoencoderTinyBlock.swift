import ComputeCore
import Layers

/// Three 3×3 convolutions with activations between them, a skip connection and a ReLU at the end.
///
/// Source: diffusers `models/unets/unet_2d_blocks.py`, `AutoencoderTinyBlock` with as many channels
/// going in as coming out.
final class AutoencoderTinyBlock: Module, TinyLayer {
  let first: Conv2d
  let second: Conv2d
  let third: Conv2d
  private let activation: TinyActivation

  static let keyOverrides = ["first": "conv.0", "second": "conv.2", "third": "conv.4"]

  init(_ channels: Int, activation: TinyActivation) {
    first = Conv2d(channels, channels, kernelSize: 3, padding: 1)
    second = Conv2d(channels, channels, kernelSize: 3, padding: 1)
    third = Conv2d(channels, channels, kernelSize: 3, padding: 1)
    self.activation = activation
  }

  /// `x` `[N, H, W, C]` → `[N, H, W, C]`.
  func callAsFunction(_ x: Tensor) -> Tensor {
    relu(third(activation(second(activation(first(x)))), adding: x))
  }
}

/// One of a sequence of layers; in checkpoints each has a number, also those without parameters.
protocol TinyLayer: Module {
  /// `x` `[N, H, W, C]` → `[N, H', W', C']`.
  func callAsFunction(_ x: Tensor) -> Tensor
}

/// A convolution with the bare names `weight` and `bias`.
final class TinyConvolution: TinyLayer {
  let weight: Parameter
  let bias: Parameter?
  private let stride: Int

  init(_ inChannels: Int, _ outChannels: Int, stride: Int = 1, bias: Bool = true) {
    let convolution = Conv2d(
      inChannels, outChannels, kernelSize: 3, stride: stride, padding: 1, bias: bias)
    (weight, self.bias, self.stride) = (convolution.weight, convolution.bias, stride)
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    conv2d(x, weight: weight.value, bias: bias?.value, stride: stride, padding: Padding(1))
  }
}

/// An activation.
final class TinyActivation: TinyLayer {
  private let function: (Tensor) -> Tensor

  /// The activation of a config's `act_fn`, `nil` for an unknown one.
  init?(named name: String) {
    let functions: [String: (Tensor) -> Tensor] = [
      "relu": { relu($0) }, "silu": { silu($0) }, "swish": { silu($0) }, "gelu": { gelu($0) },
    ]
    guard let function = functions[name] else { return nil }
    self.function = function
  }

  func callAsFunction(_ x: Tensor) -> Tensor { function(x) }
}

/// Repeats every pixel in both directions.
final class TinyUpsample: TinyLayer {
  func callAsFunction(_ x: Tensor) -> Tensor { upsampledNearest(x, scale: 2) }
}
