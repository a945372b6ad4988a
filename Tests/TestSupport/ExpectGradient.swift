import ComputeCore
import Testing

/// Expects the recorded gradients of a function to equal its central differences.
///
/// The function is made a number by a fixed random weighting of its results, added up in 64 bits.
/// With steps of 0.01 the truncation error is about 1e-4 and the rounding error 1e-5 of the
/// magnitude of the result, which the default tolerance leaves room for.
///
/// - Parameters:
///   - function: takes one tensor per shape.
///   - shapes: shapes of the inputs; keep them small, every element is moved.
///   - seed: of the inputs, which are normal numbers.
///   - domain: maps the inputs to where the function is smooth.
///   - step: how far each element is moved to both sides.
///   - tolerance: relative to the largest gradient of each input.
///   - sourceLocation: where a failure is reported.
package func expectGradient(
  of function: ([Tensor]) -> Tensor, shapes: [Shape], seed: UInt64 = 0,
  domain: (Tensor) -> Tensor = { $0 }, step: Float = 0.01, tolerance: Double = 5e-3,
  sourceLocation: SourceLocation = #_sourceLocation
) {
  var generator = TorchGenerator(seed: seed)
  let inputs = shapes.map { domain(Tensor.randn($0, using: &generator)) }
  let variables = inputs.map { $0.asVariable() }
  let y = function(variables)
  let seedGradient = Tensor.randn(y.shape, using: &generator)
  let found = gradients(of: y, seed: seedGradient)
  let weights = seedGradient.values
  func value(_ inputs: [Tensor]) -> Double {
    zip(function(inputs).values, weights).reduce(0) { $0 + Double($1.0) * Double($1.1) }
  }
  for (index, input) in inputs.enumerated() {
    let numbers = input.values
    let expected = numbers.indices.map { element -> Double in
      var moved = inputs
      var values = numbers
      values[element] = numbers[element] + step
      moved[index] = Tensor(values, input.shape)
      let above = value(moved)
      let upper = values[element]
      values[element] = numbers[element] - step
      moved[index] = Tensor(values, input.shape)
      return (above - value(moved)) / Double(upper - values[element])
    }
    guard let gradient = found[variables[index]] else {
      Issue.record("no gradient by input \(index)", sourceLocation: sourceLocation)
      continue
    }
    #expect(gradient.shape == input.shape, sourceLocation: sourceLocation)
    expectClose(
      gradient, expected, tolerance: tolerance, floor: 0.1, "gradient by input \(index)",
      sourceLocation: sourceLocation)
  }
}
