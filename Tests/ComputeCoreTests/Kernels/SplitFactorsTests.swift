import ComputeCore
import Testing

/// Linear layers with frozen weights in the precision `high`, against sums in Float64.
@Suite struct SplitFactorsTests {
  /// Rows, inputs, outputs.
  @Test(arguments: [[1, 1, 1], [5, 33, 40], [40, 64, 70], [300, 513, 31]])
  func errorsAreThoseOfThreeProducts(_ sizes: [Int]) {
    let (rows, inputs, outputs) = (sizes[0], sizes[1], sizes[2])
    let x = Noise.tensor([rows, inputs], seed: 1)
    let weight = Noise.tensor([outputs, inputs], seed: 2)
    let bias = Noise.tensor([outputs], seed: 3)
    let (xs, ws, bs) = (x.values, weight.values, bias.values)
    let expected = (0..<rows * outputs).map { index in
      let (row, output) = (index / outputs, index % outputs)
      return (0..<inputs).reduce(Double(bs[output])) {
        $0 + Double(xs[row * inputs + $1]) * Double(ws[output * inputs + $1])
      }
    }
    let found = Compute.with {
      $0.precision = .high
    } _: {
      (linear(x, weight: weight, bias: bias), linear(x, weight: weight, bias: bias))
    }
    #expect(Noise.distance(found.0.values, expected) < 8e-6)
    #expect(found.0.values == found.1.values)
  }
}
