import ComputeCore
import Datasets

/// Kernel distance of two sets of features: the squared maximum mean discrepancy with the kernel
/// `(x · y / D + 1)³`, estimated without bias; the KID when the features are InceptionV3's.
///
/// Source: Bińkowski et al. 2018, arXiv:1801.01401, section 4.
public struct KernelDistance: Codable, Equatable, Sendable {
  /// The estimate from all pairs of pictures: the mean over all subsets.
  ///
  /// It may be below 0.
  public let value: Double
  /// Lower end of the interval that holds 95 % of bootstrap replicates.
  public let lower: Double
  /// Upper end of it.
  public let upper: Double
  /// Mean over random subsets, as papers give it.
  public let subsetMean: Double
  /// Standard deviation over random subsets, as papers give it.
  public let subsetDeviation: Double

  /// How much work is done.
  public struct Settings: Sendable {
    /// Bootstrap replicates, which resample the pictures of both sets; at least 20.
    public var replicates = 400
    /// Random subsets; at least 2.
    public var subsets = 100
    /// Pictures in a subset; fewer when a set is smaller.
    public var subsetSize = 1_000
    /// Seed of both.
    public var seed: UInt64 = 0

    /// 400 replicates, 100 subsets of 1,000.
    public init() {}

    /// What a look during training needs: an interval of some kind in little time.
    public static var quick: Settings {
      var settings = Settings()
      (settings.replicates, settings.subsets) = (50, 10)
      return settings
    }
  }
}

/// The kernel distance of two sets.
///
/// The interval is that of resampling pictures with replacement, where pairs of a picture with
/// itself are left out; results depend on the seed alone.
public func kernelDistance(
  _ a: FeatureStatistics, _ b: FeatureStatistics,
  settings: KernelDistance.Settings = KernelDistance.Settings()
) -> KernelDistance {
  precondition(
    settings.replicates >= 20 && settings.subsets >= 2 && settings.subsetSize >= 2,
    "kernelDistance: \(settings) asks for too little")
  var generator = SplitMix64(seed: settings.seed)
  let size = min(settings.subsetSize, a.count, b.count)
  var weights = (first: PictureWeights(a.count), second: PictureWeights(b.count))
  weights.first.addOnes()
  weights.second.addOnes()
  for _ in 0..<settings.replicates {
    weights.first.addReplicate(using: &generator)
    weights.second.addReplicate(using: &generator)
  }
  for _ in 0..<settings.subsets {
    weights.first.addSubset(of: size, using: &generator)
    weights.second.addSubset(of: size, using: &generator)
  }
  let estimates = weightedKernelDistances(a.features, b.features, weights.first, weights.second)
  let replicates = estimates[1...settings.replicates].sorted()
  let subsets = estimates[(settings.replicates + 1)...]
  let mean = subsets.reduce(0, +) / Double(subsets.count)
  let squares = subsets.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
  return KernelDistance(
    value: estimates[0], lower: quantile(replicates, 0.025), upper: quantile(replicates, 0.975),
    subsetMean: mean, subsetDeviation: (squares / Double(subsets.count)).squareRoot())
}

/// How often each picture counts, in several ways at once.
package struct PictureWeights {
  /// Number of pictures.
  package let count: Int
  /// `[ways][count]`.
  package private(set) var ways: [[Float]] = []

  /// No way yet to weight `count` pictures.
  package init(_ count: Int) { self.count = count }

  /// Every picture once.
  mutating func addOnes() { ways.append([Float](repeating: 1, count: count)) }

  /// As often as it comes up in `count` draws with replacement, of which two must differ: with few
  /// pictures, all draws may be of one, and there is no pair to estimate from.
  mutating func addReplicate(using generator: inout SplitMix64) {
    var weights: [Float]
    repeat {
      weights = [Float](repeating: 0, count: count)
      for _ in 0..<count { weights[generator.below(count)] += 1 }
    } while count > 1 && weights.contains(Float(count))
    ways.append(weights)
  }

  /// Once if it is among `size` draws without replacement.
  mutating func addSubset(of size: Int, using generator: inout SplitMix64) {
    var order = Array(0..<count)
    for place in 0..<size { order.swapAt(place, place + generator.below(count - place)) }
    addSubset(order.prefix(size))
  }

  /// The pictures at `places` once.
  package mutating func addSubset(_ places: some Sequence<Int>) {
    var weights = [Float](repeating: 0, count: count)
    for place in places { weights[place] = 1 }
    ways.append(weights)
  }

  /// `[ways, count]`.
  var tensor: Tensor { Tensor(ways.flatMap(\.self), [ways.count, count]) }

  /// Sum of the products of the weights of different pictures, per way.
  var pairs: [Double] {
    ways.map { weights in
      let sum = weights.reduce(0) { $0 + Double($1) }
      return sum * sum - weights.reduce(0) { $0 + Double($1) * Double($1) }
    }
  }

  /// Sum of the weights, per way.
  var sums: [Double] { ways.map { $0.reduce(0) { $0 + Double($1) } } }
}

/// The unbiased estimate for each pair of ways to weight the pictures `[N, D]` and `[M, D]`.
package func weightedKernelDistances(
  _ a: Tensor, _ b: Tensor, _ first: PictureWeights, _ second: PictureWeights
) -> [Double] {
  precondition(
    a.shape[1] == b.shape[1], "kernelDistance: \(a.shape[1]) and \(b.shape[1]) features")
  // What is subtracted from every value of the kernel cancels out; it saves digits.
  let shift = PolynomialKernel.typicalValue(a, b)
  let kernel = PolynomialKernel(channels: a.shape[1], shift: shift)
  let within = (
    kernel.sums(a, first, a, first, skippingDiagonal: true),
    kernel.sums(b, second, b, second, skippingDiagonal: true)
  )
  let across = kernel.sums(a, first, b, second, skippingDiagonal: false)
  let (firstPairs, secondPairs) = (first.pairs, second.pairs)
  let (firstSums, secondSums) = (first.sums, second.sums)
  return across.indices.map { way in
    within.0[way] / firstPairs[way] + within.1[way] / secondPairs[way]
      - 2 * across[way] / (firstSums[way] * secondSums[way])
  }
}

/// `(x · y / D + 1)³ - shift`.
private struct PolynomialKernel {
  private static let blockElements = 1 << 22

  let channels: Int
  let shift: Float

  /// The kernel of the means of two sets.
  static func typicalValue(_ a: Tensor, _ b: Tensor) -> Float {
    let product = Compute.exactly { (a.mean(axes: [0]) * b.mean(axes: [0])).sum().item }
    let base = product / Float(a.shape[1]) + 1
    return base * base * base
  }

  /// `Σ_ij u_i k(x_i, y_j) v_j` for each way `u`, `v` to weight the rows of `x` and `y`.
  func sums(
    _ x: Tensor, _ u: PictureWeights, _ y: Tensor, _ v: PictureWeights, skippingDiagonal: Bool
  ) -> [Double] {
    let rowsAtOnce = max(1, Self.blockElements / max(1, v.count))
    let right = v.tensor
    var totals = [Double](repeating: 0, count: u.ways.count)
    for start in stride(from: 0, to: u.count, by: rowsAtOnce) {
      let rows = start..<min(u.count, start + rowsAtOnce)
      let sums = Compute.exactly {
        let products = linear(x.sliced(axis: 0, rows), weight: y)
        apply(to: products, firstRow: skippingDiagonal ? start : nil)
        return linear(products, weight: right).values  // [rows, ways]
      }
      for (way, weights) in u.ways.enumerated() {
        for row in rows {
          totals[way] += Double(weights[row]) * Double(sums[(row - start) * u.ways.count + way])
        }
      }
    }
    return totals
  }

  /// Turns products `[rows, columns]` into values of the kernel where they lie; those of a picture
  /// with itself, the first of which is in column `firstRow`, become 0.
  private func apply(to products: Tensor, firstRow: Int?) {
    let (columns, table) = (products.shape[1], products.pointer)
    let (scale, shift) = (1 / Float(channels), shift)
    parallelChunks(products.shape[0], chunk: max(1, 32_768 / columns)) { rows in
      for index in rows.lowerBound * columns..<rows.upperBound * columns {
        let base = table[index] * scale + 1
        table[index] = base * base * base - shift
      }
      if let firstRow {
        for row in rows { table[row * columns + firstRow + row] = 0 }
      }
    }
  }
}

/// The value below which a share of sorted values lies, interpolated as numpy does by default.
func quantile(_ sorted: [Double], _ share: Double) -> Double {
  let position = share * Double(sorted.count - 1)
  let low = Int(position.rounded(.down))
  let high = min(low + 1, sorted.count - 1)
  return sorted[low] + (sorted[high] - sorted[low]) * (position - Double(low))
}
