import Checkpoints
import ComputeCore
import Layers

/// The features of InceptionV3 that the Fréchet inception distance is defined by.
///
/// Source: Szegedy et al. 2015, arXiv:1512.00567, in the variant of the TensorFlow checkpoint of
/// 2015-12-05; keys and order of operations as in pytorch-fid's `inception.py`,
/// `FIDInceptionV3` (whose keys are torchvision's). For inference only: running statistics are
/// folded into the weights on first use.
public final class InceptionV3: Module {
  let conv2d1a3x3: InceptionConv
  let conv2d2a3x3: InceptionConv
  let conv2d2b3x3: InceptionConv
  let conv2d3b1x1: InceptionConv
  let conv2d4a3x3: InceptionConv
  let mixed5b: InceptionA
  let mixed5c: InceptionA
  let mixed5d: InceptionA
  let mixed6a: InceptionB
  let mixed6b: InceptionC
  let mixed6c: InceptionC
  let mixed6d: InceptionC
  let mixed6e: InceptionC
  let mixed7a: InceptionD
  let mixed7b: InceptionE
  let mixed7c: InceptionE

  /// torchvision's names.
  public static let keyOverrides = [
    "conv2d1a3x3": "Conv2d_1a_3x3", "conv2d2a3x3": "Conv2d_2a_3x3",
    "conv2d2b3x3": "Conv2d_2b_3x3", "conv2d3b1x1": "Conv2d_3b_1x1",
    "conv2d4a3x3": "Conv2d_4a_3x3", "mixed5b": "Mixed_5b", "mixed5c": "Mixed_5c",
    "mixed5d": "Mixed_5d", "mixed6a": "Mixed_6a", "mixed6b": "Mixed_6b", "mixed6c": "Mixed_6c",
    "mixed6d": "Mixed_6d", "mixed6e": "Mixed_6e", "mixed7a": "Mixed_7a", "mixed7b": "Mixed_7b",
    "mixed7c": "Mixed_7c",
  ]

  /// Height and width that pictures are brought to.
  public static let pictureSize = 299

  /// Numbers per picture.
  public static let channels = 2_048

  /// pytorch-fid's checkpoint, whose classifier and counters of batches are not needed.
  public static let keyMap = KeyMap("pytorch-fid") { key in
    guard !key.hasSuffix("num_batches_tracked"), !key.hasPrefix("fc.") else { return nil }
    var parts = key.split(separator: ".", maxSplits: 2).map(String.init)
    guard parts.count == 3, blocksOfChains.contains(parts[0]),
      let underscore = parts[1].lastIndex(of: "_"),
      let number = Int(parts[1][parts[1].index(after: underscore)...])
    else { return key }
    parts[1] = "\(parts[1][..<underscore]).\(number - 1)"
    return parts.joined(separator: ".")
  }

  /// Blocks whose branches are chains, which count from 1 in checkpoints: `branch7x7_1`.
  private static let blocksOfChains: Set = [
    "Mixed_6b", "Mixed_6c", "Mixed_6d", "Mixed_6e", "Mixed_7a",
  ]

  /// Builds the network without values.
  public init() {
    conv2d1a3x3 = InceptionConv(3, 32, (3, 3), stride: 2)
    conv2d2a3x3 = InceptionConv(32, 32, (3, 3))
    conv2d2b3x3 = InceptionConv(32, 64, (3, 3), padding: (1, 1))
    conv2d3b1x1 = InceptionConv(64, 80, (1, 1))
    conv2d4a3x3 = InceptionConv(80, 192, (3, 3))
    mixed5b = InceptionA(192, poolChannels: 32)
    mixed5c = InceptionA(256, poolChannels: 64)
    mixed5d = InceptionA(288, poolChannels: 64)
    mixed6a = InceptionB(288)
    mixed6b = InceptionC(768, inner: 128)
    mixed6c = InceptionC(768, inner: 160)
    mixed6d = InceptionC(768, inner: 160)
    mixed6e = InceptionC(768, inner: 192)
    mixed7a = InceptionD(768)
    mixed7b = InceptionE(1_280, pooling: .average)
    mixed7c = InceptionE(2_048, pooling: .maximum)
  }

  /// `x` `[N, 299, 299, 3]` in -1…1 → `[N, 2048]`, the means over all pixels of the last layer.
  ///
  /// Other sizes from 75 pixels on are taken, but are not what the distance is defined by.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    var h = conv2d2b3x3(conv2d2a3x3(conv2d1a3x3(x)))
    h = maxPool2d(h, size: 3, stride: 2)
    h = maxPool2d(conv2d4a3x3(conv2d3b1x1(h)), size: 3, stride: 2)
    h = mixed6a(mixed5d(mixed5c(mixed5b(h))))
    h = mixed6e(mixed6d(mixed6c(mixed6b(h))))
    return globalAveragePool(mixed7c(mixed7b(mixed7a(h))))
  }
}

/// A convolution without bias, batch normalisation and ReLU; torchvision's `BasicConv2d`.
final class InceptionConv: Module {
  let conv: RectangularConv
  let bn: BatchNorm2d
  private let stride: Int
  private let padding: Padding
  private var folded: FoldedConvolution?

  /// - Parameters:
  ///   - inChannels: size of the last axis of the input.
  ///   - outChannels: size of the last axis of the output.
  ///   - kernel: rows and columns.
  ///   - stride: distance between outputs.
  ///   - padding: zeros above and below, left and right.
  init(
    _ inChannels: Int, _ outChannels: Int, _ kernel: (Int, Int), stride: Int = 1,
    padding: (Int, Int) = (0, 0)
  ) {
    conv = RectangularConv(inChannels, outChannels, kernel)
    bn = BatchNorm2d(outChannels, eps: 1e-3)
    self.stride = stride
    self.padding = Padding(
      top: padding.0, bottom: padding.0, left: padding.1, right: padding.1)
  }

  /// `x` `[N, H, W, in]` → `[N, H', W', out]`.
  func callAsFunction(_ x: Tensor) -> Tensor {
    let folded = self.folded ?? FoldedConvolution(conv.weight, bn)
    self.folded = folded
    return relu(
      conv2d(x, weight: folded.weight, bias: folded.bias, stride: stride, padding: padding))
  }
}

/// The weights of a convolution whose kernel need not be square.
final class RectangularConv: Module {
  /// `[out, kh, kw, in]`; checkpoints have `[out, in, kh, kw]`.
  let weight: Parameter

  init(_ inChannels: Int, _ outChannels: Int, _ kernel: (Int, Int)) {
    let fanIn = Float(inChannels * kernel.0 * kernel.1)
    weight = Parameter(
      [outChannels, kernel.0, kernel.1, inChannels],
      .uniform(bound: 1 / max(1, fanIn).squareRoot()), layout: .convolution)
  }
}
