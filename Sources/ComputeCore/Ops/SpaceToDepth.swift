/// Blocks of pixels moved into channels.
///
/// Channel `c · block² + i · block + j` of the result is pixel `(i, j)` of the block in channel
/// `c`, which is the order of torch's `pixel_unshuffle`.
///
/// - Parameters:
///   - x: `[N, H, W, C]`; `H` and `W` are multiples of `block`.
///   - block: edge of a block.
/// - Returns: `[N, H / block, W / block, C · block²]`.
public func spaceToDepth(_ x: Tensor, block: Int) -> Tensor {
  precondition(
    x.rank == 4 && block > 0 && x.shape[1] % block == 0 && x.shape[2] % block == 0,
    "spaceToDepth: x must be [N, H, W, C] with multiples of \(block), got \(x.shape)")
  let (n, h, w, c) = (x.shape[0], x.shape[1] / block, x.shape[2] / block, x.shape[3])
  return x.reshaped([n, h, block, w, block, c])
    .transposed([0, 1, 3, 5, 2, 4])  // [N, h, w, C, block, block]
    .reshaped([n, h, w, c * block * block])
}

/// Channels moved into blocks of pixels; undoes `spaceToDepth`.
///
/// - Parameters:
///   - x: `[N, H, W, C · block²]`, channels in the order of torch's `pixel_shuffle`.
///   - block: edge of a block.
/// - Returns: `[N, H · block, W · block, C]`.
public func depthToSpace(_ x: Tensor, block: Int) -> Tensor {
  precondition(
    x.rank == 4 && block > 0 && x.shape[3] % (block * block) == 0,
    "depthToSpace: x must be [N, H, W, C] with C a multiple of \(block * block), got \(x.shape)")
  let (n, h, w, c) = (x.shape[0], x.shape[1], x.shape[2], x.shape[3] / (block * block))
  return x.reshaped([n, h, w, c, block, block])
    .transposed([0, 1, 4, 2, 5, 3])  // [N, h, block, w, block, C]
    .reshaped([n, h * block, w * block, c])
}
