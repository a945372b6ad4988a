/// Pictures scaled by interpolating between their four nearest pixels, as
/// `torch.nn.functional.interpolate` does with `mode="bilinear", align_corners=False`.
///
/// Pixels are skipped when pictures become much smaller: nothing is antialiased.
///
/// - Parameters:
///   - x: `[N, H, W, C]`.
///   - height: of the result.
///   - width: of the result.
/// - Returns: `[N, height, width, C]`, not recorded.
package func bilinearResized(_ x: Tensor, height: Int, width: Int) -> Tensor {
  precondition(x.rank == 4 && height > 0 && width > 0, "bilinearResized: \(x.shape)")
  if x.shape[1] == height && x.shape[2] == width { return x.detached() }
  let channels = x.shape[3]
  let rows = interpolation(from: x.shape[1], to: height)
  let columns = interpolation(from: x.shape[2], to: width)
  let result = Tensor(uninitialized: [x.shape[0], height, width, channels])
  let (y, source, line) = (result.pointer, x.pointer, x.shape[2] * channels)
  parallelChunks(x.shape[0] * height, chunk: max(1, 16_384 / (width * channels))) { range in
    for index in range {
      let (item, row) = (index / height, rows[index % height])
      let upper = source + (item * x.shape[1] + row.low) * line
      let lower = source + (item * x.shape[1] + row.high) * line
      for (position, column) in columns.enumerated() {
        for channel in 0..<channels {
          let (left, right) = (column.low * channels + channel, column.high * channels + channel)
          let top = upper[left] + (upper[right] - upper[left]) * column.share
          let bottom = lower[left] + (lower[right] - lower[left]) * column.share
          y[(index * width + position) * channels + channel] = top + (bottom - top) * row.share
        }
      }
    }
  }
  withExtendedLifetime(x) {}
  return result
}

/// For every place of the result: two places of the source and the share of the second.
private func interpolation(
  from length: Int, to newLength: Int
) -> [(low: Int, high: Int, share: Float)] {
  (0..<newLength).map { place in
    let position = max(0, (Double(place) + 0.5) * Double(length) / Double(newLength) - 0.5)
    let low = min(Int(position), length - 1)
    return (low, min(low + 1, length - 1), Float(position - Double(low)))
  }
}
