import ComputeCore
import Datasets

extension FeatureNetwork {
  /// Pixels averaged over a grid of 7x7, or as many as fit.
  ///
  /// A rough measure for pictures of which no classifier is at hand: it sees composition and
  /// brightness, not what a picture shows.
  ///
  /// - Parameters:
  ///   - size: rows and columns of the pictures.
  ///   - channels: of the pictures.
  /// - Returns: the network, called `pixels`.
  public static func pixels(size: Int, channels: Int) -> FeatureNetwork {
    let window = max(1, size / 7)
    let cells = size / window
    return FeatureNetwork(
      name: "pixels", channels: cells * cells * channels,
      check: { (set) throws(EvaluationError) in
        guard set.height == size, set.width == size, set.channels == channels else {
          throw .wrongPictures(
            name: set.name, found: pictureKind(set.height, set.width, set.channels),
            network: "pixels", expected: pictureKind(size, size, channels))
        }
      },
      compute: { x in
        averagePool2d(x, size: window, stride: window).reshaped([x.shape[0], -1])
      })
  }
}
