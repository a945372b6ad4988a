/// The exponential moving average of a sequence, corrected for its start.
///
/// `m[i] = weight * m[i - 1] + (1 - weight) * x[i]`, divided by `1 - weight^(i + 1)`, so that the
/// first value is `x[0]` (Kingma and Ba 2015, arXiv:1412.6980, section 3).
///
/// - Parameters:
///   - values: what is not finite stays as it is and does not enter the average.
///   - weight: 0 (no smoothing) up to but not 1.
/// - Returns: as many values.
public func exponentialMovingAverage(_ values: [Double], weight: Double) -> [Double] {
  precondition(
    weight >= 0 && weight < 1, "exponentialMovingAverage: weight must be in 0..<1, got \(weight)")
  var average = 0.0
  var missing = 1.0
  return values.map { value in
    guard value.isFinite else { return value }
    average = weight * average + (1 - weight) * value
    missing *= weight
    return average / (1 - missing)
  }
}
