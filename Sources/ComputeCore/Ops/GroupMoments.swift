/// Mean and variance of every group of channels of a picture, gathered part by part.
///
/// Parts are joined in double precision and in the order they come in.
/// Source: Chan, Golub & LeVeque 1979, "Updating formulae and a pairwise algorithm for computing
/// sample variances", equation 2.1.
package struct GroupMoments {
  /// Number of groups.
  package let groups: Int
  private var count = 0.0
  private var means: [Double]
  private var squares: [Double]

  /// Moments of no numbers at all.
  package init(groups: Int) {
    self.groups = groups
    means = Array(repeating: 0, count: groups)
    squares = means
  }

  /// Adds another part `[1, ..., C]` of the picture, of either type; `groups` divides `C`.
  package mutating func add(_ part: Tensor) {
    guard part.rank >= 2, part.shape[0] == 1, let channels = part.shape.last,
      channels % groups == 0
    else {
      preconditionFailure("GroupMoments: \(groups) groups do not divide one \(part.shape)")
    }
    let rows = part.shape.dropFirst().dropLast().reduce(1, *)
    let found = ChannelNorm(
      n: 1, rows: rows, channels: channels, groups: groups, eps: 0, isSilu: false
    ).statistics(of: part)
    let added = Double(rows * (channels / groups))
    let total = count + added
    for (group, (mean, variance)) in zip(found.mean.values, found.variance.values).enumerated() {
      let difference = Double(mean) - means[group]
      means[group] += difference * (added / total)
      squares[group] += Double(variance) * added + difference * difference * (count * added / total)
    }
    count = total
  }

  /// Means and variances, `[1, groups]` each.
  var statistics: ChannelNorm.Statistics {
    ChannelNorm.Statistics(
      mean: Tensor(means.map(Float.init), [1, groups]),
      variance: Tensor(squares.map { Float($0 / count) }, [1, groups]))
  }
}

/// Group normalisation of a part of a picture by the moments of all of it; not recorded.
///
/// - Parameters:
///   - x: `[1, ..., C]`, of either type.
///   - moments: of the whole picture; none of it may be missing.
///   - weight: `[C]`.
///   - bias: `[C]`.
///   - eps: added to the variance.
///   - activation: applied to the result.
///   - output: type of the result.
/// - Returns: a tensor of `x`'s shape.
package func groupNorm(
  _ x: Tensor, by moments: GroupMoments, weight: Tensor, bias: Tensor, eps: Float,
  activation: NormActivation = .none, output: DType = .float32
) -> Tensor {
  let span = profiled()
  defer { span?.end() }
  guard x.rank >= 2, x.shape[0] == 1, x.shape.last == weight.count else {
    preconditionFailure("groupNorm: \(weight.shape) does not weight one \(x.shape)")
  }
  let norm = ChannelNorm(
    n: 1, rows: x.shape.dropFirst().dropLast().reduce(1, *), channels: weight.count,
    groups: moments.groups, eps: eps, isSilu: activation == .silu)
  return norm(x, weight: weight, bias: bias, given: moments.statistics, output: output).y
}
