import CKernels

/// Nearest-neighbour resizing to a whole multiple of the size.
///
/// - Parameters:
///   - x: `[N, H, W, C]`.
///   - scale: how often each row and each column is repeated.
/// - Returns: `[N, scale · H, scale · W, C]`.
public func upsampledNearest(_ x: Tensor, scale: Int) -> Tensor {
  precondition(x.rank == 4, "upsampledNearest: x must be [N, H, W, C], got \(x.shape)")
  return upsampledNearest(x, height: scale * x.shape[1], width: scale * x.shape[2])
}

/// Nearest-neighbour resizing to any size, equal to torch's `interpolate(mode: "nearest")`.
///
/// - Parameters:
///   - x: `[N, H, W, C]`.
///   - height: rows of the result.
///   - width: columns of the result.
/// - Returns: `[N, height, width, C]`.
public func upsampledNearest(_ x: Tensor, height: Int, width: Int) -> Tensor {
  let span = profiled()
  defer { span?.end() }
  precondition(
    x.rank == 4 && height > 0 && width > 0 && x.count > 0,
    "upsampledNearest: cannot resize \(x.shape) to \(height) by \(width)")
  let (n, h, w, c) = (x.shape[0], x.shape[1], x.shape[2], x.shape[3])
  let rows = nearestSources(h, height)
  let columns = nearestSources(w, width)
  let result = Tensor(uninitialized: [n, height, width, c])
  let (y, source) = (result.pointer, x.pointer)
  parallelRows(n * height, width: width * c) { range in
    for index in range {
      let from = (index / height * h + Int(rows[index % height])) * w * c
      ck_upsample_row_f32(y + index * width * c, source + from, columns, width, c)
    }
  }
  let shape = x.shape
  return result.recorded(from: [x]) { dy, _ in
    [
      upsampledVJP(dy, shape, starts(rows, h), starts(columns, w)).recorded(from: [dy]) { ddx, _ in
        [upsampledNearest(ddx, height: height, width: width)]
      }
    ]
  }
}

/// Every pixel gets the sum over the pixels that are copies of it.
private func upsampledVJP(
  _ dy: Tensor, _ shape: Shape, _ rowStarts: [UInt32], _ columnStarts: [UInt32]
) -> Tensor {
  let (h, w, c) = (shape[1], shape[2], shape[3])
  let (height, width) = (dy.shape[1], dy.shape[2])
  let result = Tensor(uninitialized: shape)
  let (dx, d) = (result.pointer, dy.pointer)
  parallelRows(shape[0] * h, width: w * c) { range in
    for index in range {
      let (item, row) = (index / h, index % h)
      let (first, end) = (Int(rowStarts[row]), Int(rowStarts[row + 1]))
      ck_upsample_row_backward_f32(
        dx + index * w * c, d + (item * height + first) * width * c, columnStarts, w, c,
        end - first, width)
    }
  }
  return result
}

/// For each of `size` result positions the source position, computed in single precision like torch.
private func nearestSources(_ sourceSize: Int, _ size: Int) -> [UInt32] {
  let scale = Float(sourceSize) / Float(size)
  return (0..<size).map { UInt32(min(Int(Float($0) * scale), sourceSize - 1)) }
}

/// For each source position the first result position that is a copy of it or of a later one.
private func starts(_ sources: [UInt32], _ sourceSize: Int) -> [UInt32] {
  var result: [UInt32] = []
  var position = 0
  for source in 0...sourceSize {
    while position < sources.count, Int(sources[position]) < source { position += 1 }
    result.append(UInt32(position))
  }
  return result
}
