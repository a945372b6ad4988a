import CKernels

/// Normalisation of `[N, rows, channels]` by statistics over the rows and the channels of a group:
/// what group and batch normalisation have in common.
///
/// Sums are made over fixed pieces of rows, so results do not depend on the number of threads.
struct ChannelNorm {
  let n: Int
  let rows: Int
  let channels: Int
  let groups: Int
  let eps: Float
  let isSilu: Bool

  /// Mean and variance of every group, both `[N, groups]`.
  struct Statistics {
    let mean: Tensor
    let variance: Tensor
  }

  /// Which gradients are wanted.
  struct Needs {
    let x: Bool
    let parameters: Bool
  }

  private var pieceRows: Int { max(64, 65_536 / max(1, channels)) }
  private var pieces: Int { (rows + pieceRows - 1) / pieceRows }
  private var silu: Int32 { isSilu ? 1 : 0 }

  private func rowRange(_ piece: Int) -> Range<Int> {
    piece * pieceRows..<min(rows, (piece + 1) * pieceRows)
  }

  /// `first` on all pieces of an item, then `second` on the item, then `third` on all its pieces.
  ///
  /// With many items each is done in one go, which keeps it in the cache.
  private func runPhases(
    _ first: (_ item: Int, _ piece: Int) -> Void, then second: (_ item: Int) -> Void,
    then third: (_ item: Int, _ piece: Int) -> Void
  ) {
    let pieces = pieces
    if n >= 8 || pieces == 1 {
      let itemsAtOnce = max(1, 8_192 / max(1, rows * channels))
      parallelChunks(n, chunk: itemsAtOnce) { items in
        for item in items {
          for piece in 0..<pieces { first(item, piece) }
          second(item)
          for piece in 0..<pieces { third(item, piece) }
        }
      }
    } else {
      ThreadPool.shared.run(items: n * pieces) { first($0 / pieces, $0 % pieces) }
      for item in 0..<n { second(item) }
      ThreadPool.shared.run(items: n * pieces) { third($0 / pieces, $0 % pieces) }
    }
  }

  /// The normalised `x` and, unless they are given, the statistics it was normalised by.
  func callAsFunction(
    _ x: Tensor, weight: Tensor, bias: Tensor, given: Statistics? = nil, output: DType = .float32
  ) -> (y: Tensor, statistics: Statistics) {
    let result = Tensor(uninitialized: x.shape, dtype: output)
    let statistics =
      given
      ?? Statistics(
        mean: Tensor(uninitialized: [n, groups]), variance: Tensor(uninitialized: [n, groups]))
    let c = channels
    let moments = Tensor(uninitialized: [n, pieces, 2, c])
    let coefficients = Tensor(uninitialized: [n, 2, c])
    let b = bias.pointer
    let (m, k) = (moments.pointer, coefficients.pointer)
    runPhases(
      { item, piece in
        guard given == nil else { return }
        let range = rowRange(piece)
        let target = m + (item * pieces + piece) * 2 * c
        let start = (item * rows + range.lowerBound) * c
        ck_channel_moments(
          target, target + c, x.address(start), x.isBFloat16, range.count, c)
      },
      then: { item in
        if given == nil { combine(m, item, into: statistics) }
        expand(statistics, item, weight, mean: k + item * 2 * c, scale: k + item * 2 * c + c)
      },
      then: { item, piece in
        let range = rowRange(piece)
        let start = (item * rows + range.lowerBound) * c
        let mean = k + item * 2 * c
        ck_normalize(
          result.address(start), result.isBFloat16, x.address(start), x.isBFloat16, mean, mean + c,
          b, silu, range.count, c)
      })
    withExtendedLifetime((moments, coefficients)) {}
    return (result, statistics)
  }

  /// Mean and variance of every group of `x`.
  func statistics(of x: Tensor) -> Statistics {
    let statistics = Statistics(
      mean: Tensor(uninitialized: [n, groups]), variance: Tensor(uninitialized: [n, groups]))
    let c = channels
    let moments = Tensor(uninitialized: [n, pieces, 2, c])
    let m = moments.pointer
    runPhases(
      { item, piece in
        let range = rowRange(piece)
        let target = m + (item * pieces + piece) * 2 * c
        let start = (item * rows + range.lowerBound) * c
        ck_channel_moments(target, target + c, x.address(start), x.isBFloat16, range.count, c)
      },
      then: { item in combine(m, item, into: statistics) }, then: { _, _ in })
    withExtendedLifetime((moments, x)) {}
    return statistics
  }

  /// Mean and variance of every group from those of its channels in every piece.
  private func combine(
    _ moments: UnsafePointer<Float>, _ item: Int, into statistics: Statistics
  ) {
    let width = channels / groups
    for group in 0..<groups {
      var sum = 0.0
      for piece in 0..<pieces {
        let mean = moments + (item * pieces + piece) * 2 * channels + group * width
        var pieceSum = 0.0
        for c in 0..<width { pieceSum += Double(mean[c]) }
        sum += pieceSum * Double(rowRange(piece).count)
      }
      let center = sum / Double(rows * width)
      var squares = 0.0
      for piece in 0..<pieces {
        let mean = moments + (item * pieces + piece) * 2 * channels + group * width
        let count = Double(rowRange(piece).count)
        for c in 0..<width {
          let deviation = Double(mean[c]) - center
          squares += Double(mean[channels + c]) + count * deviation * deviation
        }
      }
      statistics.mean.pointer[item * groups + group] = Float(center)
      statistics.variance.pointer[item * groups + group] = Float(squares / Double(rows * width))
    }
  }

  private func rstd(_ variance: Float) -> Float { 1 / (variance + eps).squareRoot() }

  /// For every channel the mean of its group, and `weight · rstd`.
  private func expand(
    _ statistics: Statistics, _ item: Int, _ weight: Tensor, mean: UnsafeMutablePointer<Float>,
    scale: UnsafeMutablePointer<Float>
  ) {
    let width = channels / groups
    let w = weight.pointer
    for group in 0..<groups {
      let center = statistics.mean.pointer[item * groups + group]
      let factor = rstd(statistics.variance.pointer[item * groups + group])
      for c in group * width..<(group + 1) * width {
        mean[c] = center
        scale[c] = w[c] * factor
      }
    }
  }

  /// Gradients by `x` (of its type), `weight` and `bias`.
  ///
  /// With `x̂ = (x - mean) · rstd`, `dz = dy · slope of the activation` and means over a group,
  /// `dx = rstd · (w · dz - mean(w · dz) - x̂ · mean(w · dz · x̂))`; the two means are left out when
  /// the statistics are constants.
  func vjp(
    _ dy: Tensor, _ x: Tensor, weight: Tensor, bias: Tensor, statistics: Statistics,
    areConstant: Bool = false, needs: Needs
  ) -> [Tensor?] {
    let c = channels
    let result = Tensor(uninitialized: needs.x ? x.shape : [0], dtype: x.dtype)
    let sums = Tensor(uninitialized: [n, pieces, 2, c])
    let totals = Tensor(uninitialized: [n, 2, c])
    let coefficients = Tensor(uninitialized: [n, 5, c])
    for item in 0..<n {
      let mean = coefficients.pointer + item * 5 * c
      expand(statistics, item, weight, mean: mean, scale: mean + c)
    }
    let (s, t, k) = (sums.pointer, totals.pointer, coefficients.pointer)
    runPhases(
      { item, piece in
        let range = rowRange(piece)
        let start = (item * rows + range.lowerBound) * c
        let target = s + (item * pieces + piece) * 2 * c
        var call = description(dy, x, start, k + item * 5 * c, bias)
        ck_normalize_sums(target, target + c, &call, range.count, c)
      },
      then: { item in
        addPieces(s, item, to: t)
        slopes(
          t + item * 2 * c, k + item * 5 * c, statistics, item, weight, areConstant: areConstant)
      },
      then: { item, piece in
        guard needs.x else { return }
        let range = rowRange(piece)
        let start = (item * rows + range.lowerBound) * c
        let mean = k + item * 5 * c
        var call = description(dy, x, start, mean, bias)
        ck_normalize_backward(
          result.address(start), &call, mean + 2 * c, mean + 3 * c, mean + 4 * c, range.count, c)
      })
    withExtendedLifetime((sums, coefficients, dy, x, bias)) {}
    guard needs.parameters else { return [needs.x ? result : nil, nil, nil] }
    let parameters = Tensor(uninitialized: [2, c])
    withExtendedLifetime(totals) { sumMiddle(parameters.pointer, t, 1, n, 2 * c, scale: 1) }
    return [
      needs.x ? result : nil, parameters.sliced(axis: 0, 1..<2).reshaped([c]),
      parameters.sliced(axis: 0, 0..<1).reshaped([c]),
    ]
  }

  /// What kernels need to know of the numbers from `start` on; the scale follows the mean.
  private func description(
    _ dy: Tensor, _ x: Tensor, _ start: Int, _ mean: UnsafePointer<Float>, _ bias: Tensor
  ) -> ck_normalize_t {
    ck_normalize_t(
      x: UnsafeRawPointer(x.address(start)), dy: UnsafeRawPointer(dy.address(start)),
      x_is_bf16: x.isBFloat16, dy_is_bf16: dy.isBFloat16, mean: mean, scale: mean + channels,
      bias: UnsafePointer(bias.pointer), silu: silu)
  }

  /// The sums of an item's pieces, in their order.
  private func addPieces(
    _ sums: UnsafePointer<Float>, _ item: Int, to totals: UnsafeMutablePointer<Float>
  ) {
    let width = 2 * channels
    ck_sum_columns_f32(
      totals + item * width, sums + item * pieces * width, 1, pieces, width, width)
  }

  /// Sets the factors `p`, `q`, `r` of `dx = p · dz + q · (x - mean) + r`, which follow the mean and
  /// the scale in `k`, and turns the second half of `totals` into the gradient by the weight.
  private func slopes(
    _ totals: UnsafeMutablePointer<Float>, _ k: UnsafeMutablePointer<Float>,
    _ statistics: Statistics, _ item: Int, _ weight: Tensor, areConstant: Bool
  ) {
    let (c, width) = (channels, channels / groups)
    let w = weight.pointer
    let scale = areConstant ? 0 : 1 / Double(rows * width)
    for group in 0..<groups {
      let factor = rstd(statistics.variance.pointer[item * groups + group])
      var (a, b) = (0.0, 0.0)
      for i in group * width..<(group + 1) * width {
        totals[c + i] *= factor
        a += Double(w[i] * totals[i])
        b += Double(w[i] * totals[c + i])
      }
      let q = Float(-b * scale) * factor * factor
      let r = Float(-a * scale) * factor
      for i in group * width..<(group + 1) * width {
        k[2 * c + i] = k[c + i]
        k[3 * c + i] = q
        k[4 * c + i] = r
      }
    }
  }
}
