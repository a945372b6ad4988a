import ComputeCore
import Datasets

/// Pictures with their classes by number of the batch, shuffled anew in every epoch and varied a
/// little, so that the network learns what stays the same.
package struct ClassifierBatches {
  /// What is varied.
  package struct Config: Codable, Equatable, Sendable {
    /// Pictures per batch.
    package var batchSize = 128
    /// Pictures are moved by up to this many pixels in each direction; black moves in.
    package var maxShift = 2
    /// Whether half of the pictures are mirrored.
    package var flips = true

    package init() {}

    /// What suits a set: moves of up to a fourteenth of a side, mirroring unless classes are
    /// letters or digits.
    package init(for set: PictureSet) {
      maxShift = min(set.height, set.width) / 14
      flips = !set.classNames.allSatisfy { $0.count == 1 }
    }
  }

  private let set: PictureSet
  private let labels: [Int]
  private let config: Config
  private let seed: UInt64
  private let order: EpochOrder

  /// Batches of a labelled set.
  ///
  /// - Throws: `TrainingError.invalidSetting` when the pictures have no classes.
  package init(_ set: PictureSet, _ config: Config, seed: UInt64) throws(TrainingError) {
    guard let labels = set.labels, !labels.isEmpty else {
      throw .invalidSetting(
        "\(set.name): the pictures have no classes; sort them into one folder per class")
    }
    (self.set, self.labels, self.config, self.seed) = (set, labels, config, seed)
    order = EpochOrder(seed: seed, count: labels.count)
  }

  /// Batches in which each picture comes up once, rounded up.
  package var perEpoch: Int { (set.count + config.batchSize - 1) / config.batchSize }

  /// Batch number `index` of the run, counted from 0: pictures `[N, H, W, C]` in -1…1 and classes.
  package func batch(_ index: Int) -> (x: Tensor, ids: [Int32]) {
    let first = index * config.batchSize
    let chosen = order.indices(from: first, count: config.batchSize)
    let (height, width, channels) = (set.height, set.width, set.channels)
    let x = Tensor(uninitialized: [chosen.count, height, width, channels])
    let target = x.pointer
    set.pixels.withUnsafeBufferPointer { pixels in
      guard let source = pixels.baseAddress else { return }
      parallelChunks(chosen.count, chunk: max(1, 16_384 / set.pictureSize)) { places in
        for place in places {
          variation(ofSample: first + place).write(
            target + place * set.pictureSize, source + chosen[place] * set.pictureSize,
            height: height, width: width, channels: channels)
        }
      }
    }
    return (x, chosen.map { Int32(labels[$0]) })
  }

  private func variation(ofSample sample: Int) -> Variation {
    var shifts = SplitMix64(seed: stepSeed(seed, sample, .crops))
    var flips = SplitMix64(seed: stepSeed(seed, sample, .flips))
    let range = 2 * config.maxShift + 1
    return Variation(
      down: shifts.below(range) - config.maxShift, right: shifts.below(range) - config.maxShift,
      isMirrored: config.flips && flips.below(2) == 1)
  }
}

/// How one picture differs from the stored one.
private struct Variation {
  let down: Int
  let right: Int
  let isMirrored: Bool

  /// Writes the varied picture `[height, width, channels]` as numbers from -1 to 1.
  func write(
    _ target: UnsafeMutablePointer<Float>, _ source: UnsafePointer<UInt8>, height: Int, width: Int,
    channels: Int
  ) {
    for row in 0..<height {
      let sourceRow = row - down
      for column in 0..<width {
        let moved = column - right
        let sourceColumn = isMirrored ? width - 1 - moved : moved
        let isInside =
          sourceRow >= 0 && sourceRow < height && sourceColumn >= 0 && sourceColumn < width
        let from = (sourceRow * width + sourceColumn) * channels
        let to = (row * width + column) * channels
        for channel in 0..<channels {
          target[to + channel] = isInside ? Float(source[from + channel]) / 127.5 - 1 : -1
        }
      }
    }
  }
}
