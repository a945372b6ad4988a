import ComputeCore
import Datasets
import Evaluation
import GAN

/// A cheap score of a generator while it learns.
///
/// The Fréchet distance of a thousand of its pictures to as many real ones. Use it to compare states of one run; `imgen evaluate` measures properly.
package struct GANQuality {
  private let network: FeatureNetwork
  private let real: FeatureStatistics
  private let order: PictureOrder
  private let classNames: [String]

  /// Pictures that are compared.
  package static let pictureCount = 1_000

  /// Measures against the first pictures of `set`.
  ///
  /// - Throws: `EvaluationError` when the network does not take these pictures.
  package init(_ set: PictureSet, network: FeatureNetwork) throws(EvaluationError) {
    self.network = network
    let some = set.prefix(Self.pictureCount)
    real = try FeatureStatistics(
      try network.features(of: some), network: network.name, name: set.name)
    let labels =
      some.labels?.map(Int32.init) ?? [Int32](repeating: 0, count: some.count)
    order = PictureOrder(seeds: (0..<some.count).map { (1 << 41) + UInt64($0) }, labels: labels)
    classNames = set.classNames
  }

  /// What the score is called, such as `FD-fashion-cnn`.
  package var name: String { "FD-\(network.name)" }

  /// The score of a generator; smaller is better.
  package func score(_ generator: Generator) throws(EvaluationError) -> Float {
    let made = PictureSet(name: "samples", made: generator.draw(order))
    let fake = try FeatureStatistics(
      try network.features(of: made), network: network.name, name: "samples")
    return Float(frechetDistance(real, fake))
  }
}
