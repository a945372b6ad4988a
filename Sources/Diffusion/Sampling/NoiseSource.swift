import ComputeCore

/// Where a sampling run's random numbers come from.
public protocol NoiseSource {
  /// Fresh normal numbers of a channels-last shape `[N, H, W, C]`.
  mutating func noise(_ shape: Shape) -> Tensor

  /// Normal numbers for the way from one noise per picture to another, for solvers of SDEs.
  ///
  /// Fresh ones, unless the source follows a path, whose parts depend on each other.
  mutating func noise(_ shape: Shape, from sigma: Float, to next: Float) -> Tensor
}

extension NoiseSource {
  /// Fresh numbers.
  public mutating func noise(_ shape: Shape, from sigma: Float, to next: Float) -> Tensor {
    noise(shape)
  }
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
    drawn(shape, from: &generators) { Tensor.randn($0, using: &$1) }
  }
}

/// Normal numbers of AUTOMATIC1111's random source "NV", which are those of an NVIDIA GPU.
///
/// Source: `modules/rng.py`: a generator per picture, for the noise to start from and for steps.
public struct PhiloxNoise: NoiseSource {
  private var generators: [PhiloxGenerator]

  /// One draw per picture, so that each is the picture its own seed gives alone.
  ///
  /// - Parameter seeds: as many as the batch has pictures, at least 1.
  public init(seeds: [UInt64]) {
    precondition(!seeds.isEmpty, "PhiloxNoise: at least one seed is needed")
    generators = seeds.map { PhiloxGenerator(seed: $0) }
  }

  /// The next numbers; the shape must be `[N, H, W, C]`, with N the number of seeds if several.
  public mutating func noise(_ shape: Shape) -> Tensor {
    drawn(shape, from: &generators) { Tensor.randn($0, using: &$1) }
  }
}

/// The noise to start from out of one source, that of the steps out of another.
///
/// Source: ComfyUI `sample.py`, `prepare_noise`, and `k_diffusion/sampling.py`,
/// `default_noise_sampler`: on the CPU the seed of the steps is that of the start plus 1.
public struct SplitNoise: NoiseSource {
  private var first: (any NoiseSource)?
  private var rest: any NoiseSource

  /// - Parameters:
  ///   - first: gives the first numbers.
  ///   - rest: gives all others.
  public init(_ first: any NoiseSource, then rest: any NoiseSource) {
    (self.first, self.rest) = (first, rest)
  }

  /// The next numbers.
  public mutating func noise(_ shape: Shape) -> Tensor {
    guard var first else { return rest.noise(shape) }
    self.first = nil
    return first.noise(shape)
  }
}

/// Numbers drawn as `[N, C, H, W]`, together or for each picture, as `[N, H, W, C]`.
private func drawn<Generator>(
  _ shape: Shape, from generators: inout [Generator], _ draw: (Shape, inout Generator) -> Tensor
) -> Tensor {
  precondition(shape.count == 4, "noise: the shape must be [N, H, W, C], got \(shape)")
  let (n, h, w, c) = (shape[0], shape[1], shape[2], shape[3])
  if generators.count == 1 {
    return draw([n, c, h, w], &generators[0]).transposed([0, 2, 3, 1])
  }
  precondition(
    generators.count == n, "noise: \(generators.count) seeds for a batch of \(n) pictures")
  let pictures = generators.indices.map { draw([1, c, h, w], &generators[$0]) }
  return concatenated(pictures, axis: 0).transposed([0, 2, 3, 1])
}
