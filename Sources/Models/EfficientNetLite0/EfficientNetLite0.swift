import Checkpoints
import ComputeCore
import Layers

/// The features of EfficientNet-Lite0: 1,280 numbers that describe a colour picture.
///
/// Source: Tan & Le 2019, arXiv:1905.11946, in the form without squeeze and excitation and with
/// ReLU6; keys and order of operations as in the PyPI package efficientnet_lite_pytorch 0.1.0,
/// `EfficientNet.extract_features`. For inference only: running statistics are folded into the
/// weights on first use.
public final class EfficientNetLite0: Module {
  let convStem: Conv2d
  let bn0: BatchNorm2d
  let blocks: [InvertedResidual]
  let convHead: Conv2d
  let bn1: BatchNorm2d
  private var folded: (stem: FoldedConvolution, head: FoldedConvolution)?

  /// Keys with the underscores of the package.
  public static let keyOverrides = [
    "convStem": "_conv_stem", "bn0": "_bn0", "blocks": "_blocks", "convHead": "_conv_head",
    "bn1": "_bn1",
  ]

  /// Height and width of the pictures it was trained on.
  public static let pictureSize = 224

  /// Numbers per picture.
  public static let channels = 1_280

  /// The package's checkpoints, whose classifier and counters of batches are not needed.
  public static let keyMap = KeyMap("efficientnet_lite_pytorch") { key in
    key.hasSuffix("num_batches_tracked") || key.hasPrefix("_fc.") ? nil : key
  }

  /// Repeats, kernel, stride of the first, expansion and channels of each stage.
  private static let stages = [
    (1, 3, 1, 1, 16), (2, 3, 2, 6, 24), (2, 5, 2, 6, 40), (3, 3, 2, 6, 80), (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192), (1, 3, 1, 6, 320),
  ]

  /// Builds the network without values.
  public init() {
    convStem = Conv2d(3, 32, kernelSize: 3, stride: 2, bias: false)
    bn0 = BatchNorm2d(32, eps: 1e-3, momentum: 0.01)
    var channels = 32
    var blocks: [InvertedResidual] = []
    for (repeats, kernel, stride, expansion, outChannels) in Self.stages {
      for index in 0..<repeats {
        blocks.append(
          InvertedResidual(
            channels, outChannels, kernelSize: kernel, stride: index == 0 ? stride : 1,
            expansion: expansion))
        channels = outChannels
      }
    }
    self.blocks = blocks
    convHead = Conv2d(channels, Self.channels, kernelSize: 1, bias: false)
    bn1 = BatchNorm2d(Self.channels, eps: 1e-3, momentum: 0.01)
  }

  /// `x` `[N, H, W, 3]` in -1…1 → `[N, 1280]`, the means over all pixels of the last layer.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    let folded =
      self.folded ?? (FoldedConvolution(convStem.weight, bn0), .init(convHead.weight, bn1))
    self.folded = folded
    var h = conv2d(
      x, weight: folded.stem.weight, bias: folded.stem.bias, stride: 2,
      padding: samePadding(x, kernelSize: 3, stride: 2)
    ).clamped(to: 0...6)
    for block in blocks { h = block(h) }
    h = conv2d(h, weight: folded.head.weight, bias: folded.head.bias).clamped(to: 0...6)
    return globalAveragePool(h)
  }
}

/// A pointwise expansion, a depthwise convolution and a pointwise projection.
///
/// They have a skip connection where shapes allow it. Source: Sandler et al. 2018, arXiv:1801.04381.
final class InvertedResidual: Module {
  let expandConv: Conv2d?
  let bn0: BatchNorm2d?
  let depthwiseConv: DepthwiseConv2d
  let bn1: BatchNorm2d
  let projectConv: Conv2d
  let bn2: BatchNorm2d
  private let stride: Int
  private let hasSkip: Bool
  private var folded:
    (expand: FoldedConvolution?, depthwise: FoldedConvolution, project: FoldedConvolution)?

  static let keyOverrides = [
    "expandConv": "_expand_conv", "bn0": "_bn0", "depthwiseConv": "_depthwise_conv",
    "bn1": "_bn1", "projectConv": "_project_conv", "bn2": "_bn2",
  ]

  init(_ inChannels: Int, _ outChannels: Int, kernelSize: Int, stride: Int, expansion: Int) {
    let inner = inChannels * expansion
    let isExpanded = expansion > 1
    expandConv = isExpanded ? Conv2d(inChannels, inner, kernelSize: 1, bias: false) : nil
    bn0 = isExpanded ? BatchNorm2d(inner, eps: 1e-3, momentum: 0.01) : nil
    depthwiseConv = DepthwiseConv2d(inner, kernelSize: kernelSize)
    bn1 = BatchNorm2d(inner, eps: 1e-3, momentum: 0.01)
    projectConv = Conv2d(inner, outChannels, kernelSize: 1, bias: false)
    bn2 = BatchNorm2d(outChannels, eps: 1e-3, momentum: 0.01)
    self.stride = stride
    hasSkip = stride == 1 && inChannels == outChannels
  }

  /// `x` `[N, H, W, in]` → `[N, ⌈H / stride⌉, ⌈W / stride⌉, out]`.
  func callAsFunction(_ x: Tensor) -> Tensor {
    let folded = self.folded ?? fold()
    self.folded = folded
    var h = x
    if let expand = folded.expand {
      h = conv2d(h, weight: expand.weight, bias: expand.bias).clamped(to: 0...6)
    }
    h = depthwiseConv2d(
      h, weight: folded.depthwise.weight, bias: folded.depthwise.bias, stride: stride,
      padding: samePadding(h, kernelSize: depthwiseConv.kernelSize, stride: stride)
    ).clamped(to: 0...6)
    return conv2d(
      h, weight: folded.project.weight, bias: folded.project.bias, adding: hasSkip ? x : nil)
  }

  private func fold() -> (FoldedConvolution?, FoldedConvolution, FoldedConvolution) {
    var expand: FoldedConvolution?
    if let expandConv, let bn0 { expand = FoldedConvolution(expandConv.weight, bn0) }
    return (
      expand, FoldedConvolution(depthwiseConv.weight, bn1),
      FoldedConvolution(projectConv.weight, bn2)
    )
  }
}

/// The kernels of a depthwise convolution.
final class DepthwiseConv2d: Module {
  /// `[C, kh, kw, 1]`; checkpoints have `[C, 1, kh, kw]`.
  let weight: Parameter
  let kernelSize: Int

  init(_ channels: Int, kernelSize: Int) {
    let start = Parameter.Initialization.uniform(bound: 1 / Float(kernelSize))
    weight = Parameter([channels, kernelSize, kernelSize, 1], start, layout: .convolution)
    self.kernelSize = kernelSize
  }
}

/// TensorFlow's `SAME`: as many results as strides fit into the picture, odd zeros at the end.
private func samePadding(_ x: Tensor, kernelSize: Int, stride: Int) -> Padding {
  func zeros(_ length: Int) -> Int {
    max(0, ((length + stride - 1) / stride - 1) * stride + kernelSize - length)
  }
  let (down, across) = (zeros(x.shape[1]), zeros(x.shape[2]))
  return Padding(
    top: down / 2, bottom: down - down / 2, left: across / 2, right: across - across / 2)
}
