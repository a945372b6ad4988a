import ComputeCore
import Datasets

/// A network that turns pictures into vectors in which likeness is distance.
public struct FeatureNetwork {
  /// What figures that rest on it are named after, such as `fashion-cnn`.
  public let name: String
  /// Numbers per picture.
  public let channels: Int
  /// Pictures at once.
  private let batch: Int
  private let check: (PictureSet) throws(EvaluationError) -> Void
  private let compute: (Tensor) -> Tensor

  /// A network of its parts.
  ///
  /// - Parameters:
  ///   - name: for the figures.
  ///   - channels: numbers per picture.
  ///   - batch: pictures at once; features do not depend on it.
  ///   - check: throws when the network does not take pictures of this kind.
  ///   - compute: `[N, H, W, C]` in -1…1 → `[N, channels]`.
  public init(
    name: String, channels: Int, batch: Int = 128,
    check: @escaping (PictureSet) throws(EvaluationError) -> Void,
    compute: @escaping (Tensor) -> Tensor
  ) {
    (self.name, self.channels, self.batch) = (name, channels, batch)
    (self.check, self.compute) = (check, compute)
  }

  /// The layer before the last of a classifier.
  public init(_ classifier: PictureClassifier) {
    self.init(
      name: classifier.config.name, channels: classifier.config.hiddenSize,
      check: { (set) throws(EvaluationError) in try classifier.check(set) },
      compute: { classifier.features($0) })
  }

  /// Pictures `[N, H, W, C]` in -1…1 of a kind the network takes → `[N, channels]`, in 32 bits.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    Compute.exactly { compute(x) }
  }

  /// The features of pictures of any number, `[N, channels]`.
  ///
  /// They are computed in 32 bits, so that figures of different CPUs can be compared.
  ///
  /// - Parameters:
  ///   - set: the pictures.
  ///   - onProgress: told the number of pictures done.
  /// - Returns: one row per picture.
  /// - Throws: `EvaluationError.wrongPictures`.
  public func features(
    of set: PictureSet, onProgress: (Int) -> Void = { _ in }
  ) throws(EvaluationError) -> Tensor {
    try check(set)
    var values: [Float] = []
    values.reserveCapacity(set.count * channels)
    for start in stride(from: 0, to: set.count, by: batch) {
      let end = min(set.count, start + batch)
      values += self(set.tensor(start..<end)).values
      onProgress(end)
    }
    return Tensor(values, [set.count, channels])
  }
}
