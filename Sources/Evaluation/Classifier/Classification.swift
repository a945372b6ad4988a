import ComputeCore
import Datasets

/// One class that a picture may be of.
public struct ClassGuess: Codable, Equatable, Sendable {
  /// Number of the class.
  public let index: Int
  /// Name of the class.
  public let name: String
  /// How sure the network is, 0…1; all classes add up to 1.
  public let probability: Double
}

extension PictureClassifier {
  /// The probability of each class for the pictures of `set`, `[N][K]`.
  ///
  /// - Parameters:
  ///   - set: pictures of the network's size.
  ///   - batch: pictures at once; the result does not depend on it.
  ///   - onProgress: told the number of pictures done.
  /// - Returns: one row per picture, which adds up to 1.
  /// - Throws: `EvaluationError.wrongPictures`.
  public func probabilities(
    of set: PictureSet, batch: Int = 256, onProgress: (Int) -> Void = { _ in }
  ) throws(EvaluationError) -> [[Float]] {
    try check(set)
    let classes = config.classNames.count
    var rows: [[Float]] = []
    rows.reserveCapacity(set.count)
    for start in stride(from: 0, to: set.count, by: batch) {
      let values = Compute.withoutRecording {
        softmax(self(set.tensor(start..<min(set.count, start + batch)))).values
      }
      for row in stride(from: 0, to: values.count, by: classes) {
        rows.append(Array(values[row..<row + classes]))
      }
      onProgress(rows.count)
    }
    return rows
  }

  /// The most probable classes of each picture, best first.
  public func guesses(
    _ set: PictureSet, top: Int = 3
  ) throws(EvaluationError) -> [[ClassGuess]] {
    try probabilities(of: set).map { row in
      let order = row.indices.sorted { row[$0] > row[$1] }
      return order.prefix(top).map {
        ClassGuess(index: $0, name: config.classNames[$0], probability: Double(row[$0]))
      }
    }
  }

  /// Counts what the labelled pictures of `set` are taken for; its classes may be in another order.
  ///
  /// - Throws: `EvaluationError.noLabels`, `.wrongClasses` or `.wrongPictures`.
  public func test(
    _ set: PictureSet, batch: Int = 256, onProgress: (Int) -> Void = { _ in }
  ) throws(EvaluationError) -> ConfusionMatrix {
    let set = try set.relabelled(config.classNames)
    let rows = try probabilities(of: set, batch: batch, onProgress: onProgress)
    return ConfusionMatrix(set, probabilities: rows)
  }

  /// Throws `EvaluationError.wrongPictures` when the network does not take these pictures.
  public func check(_ set: PictureSet) throws(EvaluationError) {
    guard
      (set.height, set.width, set.channels) == (config.height, config.width, config.inChannels)
    else {
      throw .wrongPictures(
        name: set.name, found: pictureKind(set.height, set.width, set.channels),
        network: config.name,
        expected: pictureKind(config.height, config.width, config.inChannels))
    }
  }
}

extension ConfusionMatrix {
  /// Counts the classes of labelled pictures and the most probable ones, of `[N][K]`.
  public init(_ set: PictureSet, probabilities: [[Float]]) {
    self.init(classNames: set.classNames)
    for (label, row) in zip(set.labels ?? [], probabilities) {
      add(actual: label, predicted: row.indices.max { row[$0] < row[$1] } ?? 0)
    }
  }
}

/// Such as `28x28 pixels in grey`.
func pictureKind(_ height: Int, _ width: Int, _ channels: Int) -> String {
  let colors = channels == 1 ? "grey" : channels == 3 ? "colour" : "\(channels) channels"
  return "\(width)x\(height) pixels in \(colors)"
}
