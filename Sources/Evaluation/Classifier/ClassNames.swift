import Datasets

extension PictureSet {
  /// The same pictures with labels that count in the order of `names`.
  ///
  /// Names are the same if their letters and digits are, for folders cannot be called
  /// `T-shirt/top`.
  ///
  /// - Parameter names: must contain every class of this set.
  /// - Returns: the set, with `names` as its classes.
  /// - Throws: `EvaluationError.noLabels` or `.wrongClasses`.
  public func relabelled(_ names: [String]) throws(EvaluationError) -> PictureSet {
    guard let labels else { throw .noLabels(name: name) }
    if classNames == names { return self }
    let places = Dictionary(names.enumerated().map { (key($1), $0) }) { first, _ in first }
    let numbers = classNames.map { places[key($0)] }
    let known = numbers.compactMap(\.self)
    guard known.count == numbers.count, Set(known).count == known.count else {
      throw .wrongClasses(name: name, found: classNames, expected: names)
    }
    return PictureSet(
      name: name, height: height, width: width, channels: channels, pixels: pixels,
      labels: labels.map { known[$0] }, classNames: names, skipped: skipped)
  }
}

private func key(_ name: String) -> String {
  name.lowercased().filter { $0.isLetter || $0.isNumber }
}
