import ComputeCore
import Layers

/// Two 3×3 convolutions with a time shift between them, plus a skip connection.
///
/// Source: diffusers `models/resnet.py`, `ResnetBlock2D`; same keys, same order of operations.
/// `eps` has no default because the U-Net uses 1e-5 and the VAE 1e-6.
package final class ResnetBlock2D: Module {
  let norm1: GroupNorm
  let conv1: Conv2d
  let timeEmbProj: Linear?
  let norm2: GroupNorm
  let conv2: Conv2d
  let convShortcut: Conv2d?

  package init(
    _ inChannels: Int, _ outChannels: Int, tembChannels: Int?, groups: Int, eps: Float
  ) {
    norm1 = GroupNorm(inChannels, groups: groups, eps: eps)
    conv1 = Conv2d(inChannels, outChannels, kernelSize: 3, padding: 1)
    timeEmbProj = tembChannels.map { Linear($0, outChannels) }
    norm2 = GroupNorm(outChannels, groups: groups, eps: eps)
    conv2 = Conv2d(outChannels, outChannels, kernelSize: 3, padding: 1)
    convShortcut = inChannels == outChannels ? nil : Conv2d(inChannels, outChannels, kernelSize: 1)
  }

  /// `x` `[N, H, W, in]`, `temb` `[N, tembChannels]` after its activation → `[N, H, W, out]`.
  package func callAsFunction(_ x: Tensor, temb: Tensor? = nil) -> Tensor {
    let type = Compute.factorType
    let shift = temb.flatMap { temb in timeEmbProj.map { $0(temb) } }  // [N, out]
    // One variable, so that each result is let go as soon as the next one is there.
    var h = norm1.thenSilu(x, output: type)
    h = conv1(h, shiftedBy: shift, output: type)
    h = norm2.thenSilu(h, output: type)
    return conv2(h, adding: convShortcut?(x) ?? x)
  }
}
