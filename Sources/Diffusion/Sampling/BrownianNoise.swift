import ComputeCore
import Glibc

/// Noise for solvers of SDEs: the increments of a Brownian path over the noise levels.
///
/// A seed gives the same path however many steps go along it. The path is as fine as 1e-6, which is
/// the last bit of the highest noise levels: levels that differ there differ by 0.001 in noise.
/// Source: k-diffusion `sampling.py`,
/// `BrownianTreeNoiseSampler`, with the numbers of torchsde's `BrownianTree`.
public struct BrownianNoise: NoiseSource {
  /// What draws the numbers of a path.
  public enum Generator: Sendable {
    /// torch on the CPU.
    case torch
    /// AUTOMATIC1111's source "NV".
    case philox

    fileprivate func randn(_ shape: Shape, seed: UInt32) -> Tensor {
      switch self {
      case .torch:
        var generator = TorchGenerator(seed: UInt64(seed))
        return .randn(shape, using: &generator)
      case .philox:
        var generator = PhiloxGenerator(seed: UInt64(seed))
        return .randn(shape, using: &generator)
      }
    }
  }

  private var fresh: any NoiseSource
  private let seeds: [UInt64]
  private let range: ClosedRange<Float>
  private let generator: Generator
  private var trees: [BrownianTree] = []

  /// - Parameters:
  ///   - fresh: gives the noise to start from, and that of solvers without a path.
  ///   - seeds: one path for all pictures, or one for each.
  ///   - range: the lowest noise level above 0 and the highest of the run.
  ///   - generator: draws the numbers.
  public init(
    _ fresh: any NoiseSource, seeds: [UInt64], over range: ClosedRange<Float>,
    generator: Generator = .torch
  ) {
    precondition(!seeds.isEmpty, "BrownianNoise: at least one seed is needed")
    (self.fresh, self.seeds, self.range, self.generator) = (fresh, seeds, range, generator)
  }

  /// Fresh numbers; not of the path.
  public mutating func noise(_ shape: Shape) -> Tensor { fresh.noise(shape) }

  /// The path's increment, of variance 1; zeros where it has no length.
  public mutating func noise(_ shape: Shape, from sigma: Float, to next: Float) -> Tensor {
    precondition(shape.count == 4, "noise: the shape must be [N, H, W, C], got \(shape)")
    let (n, h, w, c) = (shape[0], shape[1], shape[2], shape[3])
    precondition(
      seeds.count == 1 || seeds.count == n,
      "noise: \(seeds.count) seeds for a batch of \(n) pictures")
    if trees.isEmpty {
      let drawn = [n / seeds.count, c, h, w]
      let generator = self.generator
      trees = seeds.map { seed in
        BrownianTree(seed: seed, from: range.lowerBound, to: range.upperBound) {
          generator.randn(drawn, seed: $0)
        }
      }
    }
    let (low, high) = (min(sigma, next), max(sigma, next))
    // The next level 0 lies outside the path.
    guard high > range.lowerBound else { return .zeros(shape) }
    let sign: Float = sigma < next ? 1 : -1
    let parts = trees.indices.map { trees[$0].increment(low, high) }
    let increment = parts.count == 1 ? parts[0] : concatenated(parts, axis: 0)
    return (increment * (sign / (high - low).squareRoot())).transposed([0, 2, 3, 1])
  }
}

/// A Brownian path, drawn half by half down to the stretches asked for.
///
/// Source: Li et al. 2020, arXiv:2001.01328 §4; bits equal those of torchsde's `BrownianInterval`
/// with `halfway_tree`, tolerance 1e-6 and a pool of 24 words.
struct BrownianTree {
  private struct Node {
    let start: Double
    let end: Double
    let key: UInt64
    let depth: UInt32
  }

  private let seed: UInt64
  private let root: Node
  private let total: Tensor
  private let draw: (UInt32) -> Tensor

  /// - Parameters:
  ///   - seed: decides the path.
  ///   - start: where it begins.
  ///   - end: where it ends, above `start`.
  ///   - draw: fresh normal numbers of a path's shape.
  init(seed: UInt64, from start: Float, to end: Float, draw: @escaping (UInt32) -> Tensor) {
    (self.seed, self.draw) = (seed, draw)
    root = Node(start: rounded(Double(start)), end: rounded(Double(end)), key: 0, depth: 0)
    let first = SeedSequence(seed, key: []).words(1)[0]
    total = draw(first) * Float((Double(end) - Double(start)).squareRoot())
  }

  /// What the path adds between two places, which are taken to within its ends.
  func increment(_ low: Float, _ high: Float) -> Tensor {
    let from = rounded(max(root.start, min(root.end, Double(low))))
    let to = rounded(max(root.start, min(root.end, Double(high))))
    guard from < to else { return total * 0 }
    let parts = self.parts(of: root, total, from, to)
    return parts.dropFirst().reduce(parts[0]) { $0 + $1 }
  }

  /// The increments of the largest stretches of the tree that make up a part of `node`.
  private func parts(of node: Node, _ sum: Tensor, _ from: Double, _ to: Double) -> [Tensor] {
    if from == node.start && to == node.end { return [sum] }
    let middle = rounded(0.5 * (node.end + node.start))
    // The tree ends where halves are shorter than a place can be told.
    guard node.start < middle, middle < node.end else { return [sum] }
    let scale = 1 / (node.end - node.start)
    let (before, after) = (middle - node.start, node.end - middle)
    let word = SeedSequence(seed, key: [node.key, UInt64(node.depth)]).words(1)[0]
    let left =
      sum * Float(before) * Float(scale) + draw(word) * Float((before * after * scale).squareRoot())
    let depth = node.depth + 1
    let lower = Node(start: node.start, end: middle, key: 2 * node.key, depth: depth)
    let upper = Node(start: middle, end: node.end, key: 2 * node.key + 1, depth: depth)
    if to <= middle { return parts(of: lower, left, from, to) }
    if from >= middle { return parts(of: upper, sum - left, from, to) }
    return parts(of: lower, left, from, middle) + parts(of: upper, sum - left, middle, to)
  }
}

/// To six digits after the point, as Python's `round`: what decides is the number itself, not its
/// product with a million, which is rounded.
private func rounded(_ value: Double) -> Double {
  let product = value * 1e6
  let below = product.rounded(.down)
  let remainder = (-product).addingProduct(value, 1e6)
  guard product - below == 0.5, remainder != 0 else {
    return product.rounded(.toNearestOrEven) / 1e6
  }
  return (remainder > 0 ? below + 1 : below) / 1e6
}

/// Seeds made from a seed and a place in a tree.
///
/// Source: O'Neill 2015, "Developing a seed_seq Alternative"; equals NumPy's `SeedSequence` with
/// `pool_size` 24.
package struct SeedSequence {
  private var pool: [UInt32]

  /// - Parameters:
  ///   - seed: the entropy.
  ///   - key: the place.
  package init(_ seed: UInt64, key: [UInt64]) {
    let size = 24
    var entropy = SeedSequence.words(of: seed)
    if !key.isEmpty {
      entropy += Array(repeating: 0, count: size - entropy.count)
      entropy += key.flatMap(SeedSequence.words(of:))
    }
    var hash = Hash(constant: 0x43b0_d7e5, multiplier: 0x931e_8875)
    pool = (0..<size).map { hash($0 < entropy.count ? entropy[$0] : 0) }
    for source in 0..<size {
      for target in 0..<size where source != target {
        pool[target] = SeedSequence.mixed(pool[target], hash(pool[source]))
      }
    }
    for word in entropy.dropFirst(size) {
      for target in 0..<size { pool[target] = SeedSequence.mixed(pool[target], hash(word)) }
    }
  }

  /// The first `count` words of the sequence, at most 24.
  package func words(_ count: Int) -> [UInt32] {
    var hash = Hash(constant: 0x8b51_f9dd, multiplier: 0x58f3_8ded)
    return pool.prefix(count).map { hash($0) }
  }

  private static func words(of value: UInt64) -> [UInt32] {
    let words = [UInt32(truncatingIfNeeded: value), UInt32(truncatingIfNeeded: value >> 32)]
    return words[1] == 0 ? [words[0]] : words
  }

  private static func mixed(_ x: UInt32, _ y: UInt32) -> UInt32 {
    let result = 0xca01_f9dd &* x &- 0x4973_f715 &* y
    return result ^ (result >> 16)
  }

  private struct Hash {
    var constant: UInt32
    let multiplier: UInt32

    mutating func callAsFunction(_ word: UInt32) -> UInt32 {
      let masked = word ^ constant
      constant = constant &* multiplier
      let value = masked &* constant
      return value ^ (value >> 16)
    }
  }
}
