import ComputeCore
import Layers

/// Two 3×3 convolutions beside a skip connection, without normalisation.
///
/// The last convolution starts at zero, so that a network of any depth starts as its skips. In a
/// generator noise and class scale and shift the channels between the two (Perez et al. 2017, "FiLM",
/// arXiv:1709.07871).
/// Source: Huang et al. 2024, "The GAN is dead; long live the GAN! A Modern Baseline GAN"
/// (R3GAN), arXiv:2501.05441, section 4, with plain in place of grouped convolutions; the start is
/// that of Zhang et al. 2019, "Fixup Initialization", arXiv:1901.09321.
final class ResidualBlock: Module {
  let conv1: Conv2d
  let conv2: Conv2d
  /// Latent → scales and shifts, `[2 C, latent]`; `nil` in a discriminator.
  let style: Linear?

  init(_ channels: Int, latentSize: Int? = nil) {
    style = latentSize.map { Linear($0, 2 * channels) }
    conv1 = Conv2d(channels, channels, kernelSize: 3, padding: 1)
    conv2 = Conv2d(channels, channels, kernelSize: 3, padding: 1)
  }

  /// `x` `[N, H, W, C]`, `latent` `[N, latentSize]` → the shape of `x`.
  func callAsFunction(_ x: Tensor, latent: Tensor? = nil) -> Tensor {
    var h = conv1(leakyReLU(x))
    if let style, let latent {
      let c = x.shape[3]
      let parts = style(latent).unsqueezed(1, 2).split(axis: -1, sizes: [c, c])
      h = h * (1 + parts[0]) + parts[1]
    }
    return conv2(leakyReLU(h), adding: x)
  }
}

/// Residual blocks of one size, and the change of channels to the next.
final class Level: Module {
  let blocks: [ResidualBlock]
  /// `nil` at the last level, and where the channels stay as they are.
  let transition: Conv2d?

  init(_ channels: Int, layers: Int, next: Int?, latentSize: Int? = nil) {
    blocks = (0..<layers).map { _ in ResidualBlock(channels, latentSize: latentSize) }
    transition = next.flatMap {
      $0 == channels ? nil : Conv2d(channels, $0, kernelSize: 1, bias: false)
    }
  }

  /// `x` `[N, H, W, C]`, `latent` `[N, latentSize]` → the shape of `x`.
  func callAsFunction(_ x: Tensor, latent: Tensor? = nil) -> Tensor {
    blocks.reduce(x) { $1($0, latent: latent) }
  }
}

/// Fills the parameters of a network of leaky ReLUs and residual blocks.
///
/// Weights are normal with the variance that keeps activations of leaky ReLUs alike (He et al. 2015,
/// arXiv:1502.01852, equation 15, slope 0.2) or, where no activation follows, of anything; those of the
/// first convolution of a block are divided by the square root of the number of blocks (Fixup,
/// L^(-1/(2m-2)) with m = 2 layers), those of the last one are zero, as are biases.
func initializeForGAN(
  _ network: some Module, blocks: Int, using generator: inout TorchGenerator
) {
  for (key, parameter) in network.namedParameters() {
    let shape = parameter.checkpointShape
    let fanIn = shape.dropFirst().reduce(1, *)
    guard shape.count > 1, !key.hasSuffix("conv2.weight") else {
      parameter.value = .zeros(parameter.shape)
      continue
    }
    let std: Float =
      switch key {
      case "class_embedding.weight": 1
      case "basis": 1 / Float(shape[0] * shape[1]).squareRoot()
      case _ where key.hasSuffix("conv1.weight"):
        (2 / (1.04 * Float(fanIn) * Float(blocks))).squareRoot()
      default: 1 / Float(fanIn).squareRoot()
      }
    parameter.value = parameter.fromCheckpoint(Tensor.randn(shape, using: &generator) * std)
  }
}
