/// `conv2d(upsampledNearest(x, scale: 2), padding: Padding(1))` with 3x3 kernels and stride 1.
///
/// Without gradients the enlarged picture is not made: a 2x2 tile of the result depends on 3x3 pixels
/// of `x`, and of the 16 products of Winograd's algorithm 7 vanish, so that 9 remain where the direct
/// method has 36.
///
/// - Parameters:
///   - x: `[N, H, W, in]`, of either type.
///   - weight: `[out, 3, 3, in]`.
///   - bias: `[out]`.
/// - Returns: `[N, 2H, 2W, out]`.
public func upsampledConv2d(_ x: Tensor, weight: Tensor, bias: Tensor? = nil) -> Tensor {
  precondition(
    x.rank == 4 && weight.rank == 4 && Array(weight.shape[1...]) == [3, 3, x.shape[3]],
    "upsampledConv2d: weight \(weight.shape) does not take \(x.shape)")
  let (n, height, width) = (x.shape[0], x.shape[1], x.shape[2])
  let tiles = WinogradTiles(
    images: n, source: (height, width, x.shape[3]),
    target: (2 * height, 2 * width, weight.shape[0]), top: 1, left: 1, isUpsampled: true)
  let isRecorded =
    Compute.current.isRecording
    && ([x, weight] + (bias.map { [$0] } ?? [])).contains(where: \.isRecorded)
  guard !isRecorded, tiles.areWorthwhile else {
    return conv2d(
      upsampledNearest(x.cast(to: .float32), height: 2 * height, width: 2 * width), weight: weight,
      bias: bias, padding: Padding(1))
  }
  let span = profiled()
  defer { span?.end() }
  let type = FactorType.current
  return winogradConvolution(x, winogradKernels(weight, tiles, type), bias, tiles, type)
}
