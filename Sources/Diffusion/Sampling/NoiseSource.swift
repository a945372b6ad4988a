import ComputeCore

/// Where a sampling run's random numbers come from.
public protocol NoiseSource {
  /// Fresh normal numbers of a channels-last shape `[N, H, W, C]`.
  mutating func noise(_ shape: Shape) -> Tensor
}

/// Normal numbers in the order in which diffusers draws them, so that a seed gives its picture.
///
/// torch draws `[N, C, H, W]`; the numbers are moved to `[N, H, W, C]`.
public struct TorchNoise: NoiseSource {
  /// One generator for the whole batch, or one per picture.
  public var generators: [TorchGenerator]

  /// One draw for the whole batch: picture 1 depends on the size of picture 0.
  public init(_ generator: TorchGenerator) {
    generators = [generator]
  }

  /// One draw for the whole batch, from a generator with this seed.
  public init(seed: UInt64) {
    self.init(TorchGenerator(seed: seed))
  }

  /// One draw per picture, so that each is the picture its own seed gives alone.
  ///
  /// - Parameter seeds: as many as the batch has pictures, at least 1.
  public init(seeds: [UInt64]) {
    precondition(!seeds.isEmpty, "TorchNoise: at least one seed is needed")
    generators = seeds.map { TorchGenerator(seed: $0) }
  }

  /// The next numbers; the shape must be `[N, H, W, C]`, with N the number of seeds if several.
  public mutating func noise(_ shape: Shape) -> Tensor {
    precondition(shape.count == 4, "noise: the shape must be [N, H, W, C], got \(shape)")
    let (n, h, w, c) = (shape[0], shape[1], shape[2], shape[3])
    if generators.count == 1 {
      return Tensor.randn([n, c, h, w], using: &generators[0]).transposed([0, 2, 3, 1])
    }
    precondition(
      generators.count == n, "noise: \(generators.count) seeds for a batch of \(n) pictures")
    let pictures = generators.indices.map { Tensor.randn([1, c, h, w], using: &generators[$0]) }
    return concatenated(pictures, axis: 0).transposed([0, 2, 3, 1])
  }
}
