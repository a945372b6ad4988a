import ComputeCore
import Testing

/// Expects `x` to have the shape of `expected` and its values within a tolerance.
///
/// - Parameters:
///   - x: what was computed.
///   - expected: what it should be.
///   - tolerance: largest allowed difference, relative to the largest magnitude in `expected`.
///   - floor: the magnitude that `tolerance` is relative to is taken to be at least this.
///   - label: what is compared, for the message.
///   - sourceLocation: where a failure is reported.
package func expectClose(
  _ x: Tensor, _ expected: Tensor, tolerance: Double = 2e-6, floor: Double = 1e-2,
  _ label: String = "", sourceLocation: SourceLocation = #_sourceLocation
) {
  #expect(x.shape == expected.shape, "\(label): shapes differ", sourceLocation: sourceLocation)
  expectClose(
    x, expected.values.map(Double.init), tolerance: tolerance, floor: floor, label,
    sourceLocation: sourceLocation)
}

/// Expects the elements of `x` to be `expected` within a tolerance.
///
/// - Parameters:
///   - x: what was computed.
///   - expected: what it should be, in row-major order.
///   - tolerance: largest allowed difference, relative to the largest magnitude in `expected`.
///   - floor: the magnitude that `tolerance` is relative to is taken to be at least this.
///   - label: what is compared, for the message.
///   - sourceLocation: where a failure is reported.
package func expectClose(
  _ x: Tensor, _ expected: [Double], tolerance: Double = 2e-6, floor: Double = 1e-2,
  _ label: String = "", sourceLocation: SourceLocation = #_sourceLocation
) {
  let found = x.values
  guard found.count == expected.count else {
    Issue.record(
      "\(label): \(found.count) values instead of \(expected.count)",
      sourceLocation: sourceLocation)
    return
  }
  let largest = max(floor, expected.reduce(0) { max($0, abs($1)) })
  for (index, (a, b)) in zip(found, expected).enumerated() {
    let isClose = abs(Double(a) - b) <= tolerance * largest
    if !isClose {
      Issue.record(
        "\(label): element \(index) is \(a), expected \(b) within \(tolerance * largest)",
        sourceLocation: sourceLocation)
      return
    }
  }
}

/// Expects one and two threads to give the same bits.
package func expectThreadIndependence(
  sourceLocation: SourceLocation = #_sourceLocation, _ body: () -> [Tensor]
) {
  func bits(threads: Int) -> [[UInt32]] {
    Compute.with(
      { $0.threads = threads }, { () -> [[UInt32]] in body().map { $0.values.map(\.bitPattern) } })
  }
  let alone = bits(threads: 1)
  for _ in 0..<3 {
    #expect(
      alone == bits(threads: 2), "results depend on threads", sourceLocation: sourceLocation)
  }
}
