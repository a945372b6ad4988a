import ComputeCore
import Datasets
import Pipelines

/// Batches of a captioned folder, its pictures kept in memory at the training size.
package struct CaptionedBatches: DiffusionBatches {
  /// How pictures and captions are varied.
  package struct Config: Codable, Equatable, Sendable {
    /// Pictures per batch.
    package var batchSize = 32
    /// Width and height that pictures are trained at.
    package var size = 64
    /// Share of samples whose caption is left out, for classifier-free guidance.
    package var captionDropout: Double = 0.1
    /// Whether half of the samples are mirrored.
    package var flips = true

    package init() {}
  }

  private let pictures: PictureStore
  private let folder: CaptionedFolder
  private let texts: EncodedTexts
  private let codec: any PictureCodec
  private let order: EpochOrder
  private let config: Config
  private let seed: UInt64

  /// Number of pictures.
  package var count: Int { pictures.count }

  /// Decodes, resizes and encodes everything.
  ///
  /// - Parameters:
  ///   - folder: pictures with captions.
  ///   - conditioner: the model's text encoder.
  ///   - codec: the model's picture codec.
  ///   - config: settings.
  ///   - seed: of order, captions and mirroring.
  ///   - progress: called with what is being done, how much of it is done and how much there is.
  /// - Throws: `TrainingError.dataset` for a picture that cannot be read.
  package init(
    _ folder: CaptionedFolder, conditioner: any TextConditioner, codec: any PictureCodec,
    _ config: Config, seed: UInt64, progress: (String, Int, Int) -> Void = { _, _, _ in }
  ) throws(TrainingError) {
    (self.folder, self.codec, self.config, self.seed) = (folder, codec, config, seed)
    do throws(DatasetError) {
      pictures = try PictureStore(
        folder.pictures.map(\.path), width: config.size, height: config.size
      ) { done, total in progress("Reading pictures", done, total) }
    } catch {
      throw .dataset(error)
    }
    texts = EncodedTexts(folder.pictures.flatMap(\.captions) + [""], conditioner) { done, total in
      progress("Encoding captions", done, total)
    }
    order = EpochOrder(seed: seed, repeats: folder.pictures.map(\.repeats))
  }

  /// Batch number `index`: a pure function of the seed and the number.
  package func batch(_ index: Int) -> DiffusionBatch {
    let first = index * config.batchSize
    let picked = order.indices(from: first, count: config.batchSize)
    let samples = first..<first + config.batchSize
    let values = pictures.floats(
      picked, flips: samples.map { config.flips && unit($0, .flips) < 0.5 })
    let captions = zip(picked, samples).map { example, sample in
      unit(sample, .captionDropout) < config.captionDropout
        ? "" : folder.pictures[example].caption(seed: stepSeed(seed, sample, .captions))
    }
    let shape = [config.batchSize, config.size, config.size, 3]
    return DiffusionBatch(
      latents: codec.encode(Tensor(values, shape)), conditioning: texts.conditioning(captions))
  }

  /// A number of [0, 1) for one use in one sample.
  private func unit(_ sample: Int, _ purpose: RandomPurpose) -> Double {
    unitNumber(stepSeed(seed, sample, purpose))
  }
}

/// 53 bits of a seed as a number of [0, 1).
func unitNumber(_ seed: UInt64) -> Double { Double(seed >> 11) / Double(1 << 53) }
