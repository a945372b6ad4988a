/// How often pictures of each class were taken for each class.
public struct ConfusionMatrix: Equatable, Sendable {
  /// Names of the classes, in the order of their numbers.
  public let classNames: [String]
  /// `[actual][predicted]`.
  public private(set) var counts: [[Int]]

  /// A matrix without pictures.
  public init(classNames: [String]) {
    self.classNames = classNames
    counts = classNames.map { _ in classNames.map { _ in 0 } }
  }

  /// Counts a picture of class `actual` that was taken for `predicted`.
  public mutating func add(actual: Int, predicted: Int) {
    counts[actual][predicted] += 1
  }

  /// Number of pictures.
  public var total: Int { counts.joined().reduce(0, +) }

  /// Share of pictures taken for what they are; 0 without pictures.
  public var accuracy: Double {
    total == 0 ? 0 : Double(classNames.indices.reduce(0) { $0 + counts[$1][$1] }) / Double(total)
  }

  /// Share of right ones among the pictures taken for `index`; 0 when there are none.
  public func precision(_ index: Int) -> Double {
    ratio(counts[index][index], counts.reduce(0) { $0 + $1[index] })
  }

  /// Share of right ones among the pictures of `index`; 0 when there are none.
  public func recall(_ index: Int) -> Double {
    ratio(counts[index][index], counts[index].reduce(0, +))
  }

  /// Harmonic mean of precision and recall; 0 when both are.
  public func f1(_ index: Int) -> Double {
    let (p, r) = (precision(index), recall(index))
    return p + r == 0 ? 0 : 2 * p * r / (p + r)
  }

  private func ratio(_ part: Int, _ whole: Int) -> Double {
    whole == 0 ? 0 : Double(part) / Double(whole)
  }
}
