import ComputeCore
import Datasets
import Pipelines

/// Batches of random crops of photos, for learning how they look rather than what they show.
///
/// Half of the samples go without their caption, so that the adapter changes pictures of anything.
package struct StyleBatches: DiffusionBatches {
  private let photos: CropStore
  private let captions: [String]
  private let texts: EncodedTexts
  private let codec: any PictureCodec
  private let order: EpochOrder
  private let batchSize: Int
  private let seed: UInt64

  /// Share of samples without a caption.
  private static let captionDropout = 0.5

  /// Decodes photos and encodes their captions.
  ///
  /// - Parameters:
  ///   - pictures: at least one photo with its caption, which may be empty.
  ///   - size: width and height of a crop in pixels.
  ///   - batchSize: crops per batch.
  ///   - conditioner: the model's text encoder.
  ///   - codec: the model's picture codec.
  ///   - seed: of order, crops, captions and mirroring.
  ///   - progress: called with the numbers of decoded and of all photos.
  /// - Throws: `TrainingError.dataset` for a photo that cannot be read.
  package init(
    _ pictures: [CaptionedPicture], size: Int, batchSize: Int, conditioner: any TextConditioner,
    codec: any PictureCodec, seed: UInt64, progress: (Int, Int) -> Void = { _, _ in }
  ) throws(TrainingError) {
    (self.codec, self.batchSize, self.seed) = (codec, batchSize, seed)
    captions = pictures.map(\.caption)
    texts = EncodedTexts(captions + [""], conditioner)
    order = EpochOrder(seed: seed, count: pictures.count)
    do throws(DatasetError) {
      photos = try CropStore(
        pictures.map(\.path), width: size, height: size, progress: progress)
    } catch {
      throw .dataset(error)
    }
  }

  /// Batch number `index`: a pure function of the seed and the number.
  package func batch(_ index: Int) -> DiffusionBatch {
    let first = index * batchSize
    let picked = order.indices(from: first, count: batchSize)
    let samples = first..<first + batchSize
    let values = photos.floats(
      picked, seeds: samples.map { stepSeed(seed, $0, .crops) },
      flips: samples.map { unitNumber(stepSeed(seed, $0, .flips)) < 0.5 })
    let chosen = zip(picked, samples).map { photo, sample in
      unitNumber(stepSeed(seed, sample, .captionDropout)) < Self.captionDropout
        ? "" : captions[photo]
    }
    let latents = codec.encode(
      Tensor(values, [batchSize, photos.height, photos.width, 3]))
    return DiffusionBatch(latents: latents, conditioning: texts.conditioning(chosen))
  }
}
