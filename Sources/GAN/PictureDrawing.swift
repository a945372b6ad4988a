import ComputeCore

/// What a generator is asked for: one entry per picture.
public struct PictureOrder: Equatable, Sendable {
  /// Seed of each picture's noise.
  public var seeds: [UInt64]
  /// Class number of each picture.
  public var labels: [Int32]
  /// Length of the noise against that of training; below 1, pictures are more alike and safer.
  ///
  /// Source: the truncation trick, Brock et al. 2018, arXiv:1809.11096, section 3.1, by scaling.
  public var truncation: Float

  /// An order of pictures, each with a seed and a class.
  public init(seeds: [UInt64], labels: [Int32], truncation: Float = 1) {
    precondition(seeds.count == labels.count, "PictureOrder: one class per seed")
    (self.seeds, self.labels, self.truncation) = (seeds, labels, truncation)
  }

  /// `count` pictures with seeds from `seed` on: of class `label`, or of all classes in turn.
  public init(
    count: Int, seed: UInt64, label: Int? = nil, classCount: Int, truncation: Float = 1
  ) {
    self.init(
      seeds: (0..<count).map { seed &+ UInt64($0) },
      labels: (0..<count).map { Int32(label ?? (classCount == 0 ? 0 : $0 % classCount)) },
      truncation: truncation)
  }
}

extension Generator {
  /// The noise of an order, `[N, latentSize]`; a picture's depends on its own seed only.
  public func latents(_ order: PictureOrder) -> Tensor {
    let rows = order.seeds.map { seed in
      var generator = TorchGenerator(seed: seed)
      return Tensor.randn([1, config.latentSize], using: &generator)
    }
    return concatenated(rows, axis: 0) * order.truncation
  }

  /// Draws pictures in batches, without recording.
  ///
  /// - Parameters:
  ///   - order: at least one picture.
  ///   - progress: is told how many are done.
  /// - Returns: `[N, sampleSize, sampleSize, channels]` in -1…1.
  public func draw(_ order: PictureOrder, progress: (Int) -> Void = { _ in }) -> Tensor {
    let z = Compute.withoutRecording { latents(order) }
    return draw(z, labels: order.labels, progress: progress)
  }

  /// Draws a picture for each row of `z` `[N, latentSize]`.
  public func draw(_ z: Tensor, labels: [Int32], progress: (Int) -> Void = { _ in }) -> Tensor {
    let batch = 64
    return Compute.withoutRecording {
      var parts: [Tensor] = []
      for start in stride(from: 0, to: labels.count, by: batch) {
        let range = start..<min(labels.count, start + batch)
        let y = self(z.sliced(axis: 0, range), labels: Array(labels[range]))
        parts.append(y.clamped(to: -1...1))
        progress(range.upperBound)
      }
      return concatenated(parts, axis: 0)
    }
  }
}
