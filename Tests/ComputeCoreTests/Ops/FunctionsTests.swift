import ComputeCore
import Glibc
import TestSupport
import Testing

@Suite struct FunctionsTests {
  /// An elementwise function, what it computes in 64 bits, and where it is smooth.
  struct Function: Sendable, CustomTestStringConvertible {
    let name: String
    let apply: @Sendable (Tensor) -> Tensor
    let reference: @Sendable (Double) -> Double
    var isForPositive = false
    var testDescription: String { name }
  }

  static let functions: [Function] = [
    Function(name: "exp", apply: { exp($0) }, reference: { exp($0) }),
    Function(name: "log", apply: { log($0) }, reference: { log($0) }, isForPositive: true),
    Function(name: "sqrt", apply: { sqrt($0) }, reference: { sqrt($0) }, isForPositive: true),
    Function(name: "tanh", apply: { tanh($0) }, reference: { tanh($0) }),
    Function(name: "sigmoid", apply: { sigmoid($0) }, reference: { 1 / (1 + exp(-$0)) }),
    Function(name: "silu", apply: { silu($0) }, reference: { $0 / (1 + exp(-$0)) }),
    Function(name: "relu", apply: { relu($0) }, reference: { max(0, $0) }),
    Function(
      name: "leaky_relu", apply: { leakyReLU($0) },
      reference: { $0 > 0 ? $0 : $0 * Double(Float(0.2)) }),
    Function(
      name: "gelu", apply: { gelu($0) }, reference: { $0 * erfc(-$0 / 2.0.squareRoot()) / 2 }),
    Function(
      name: "gelu_tanh", apply: { geluTanh($0) },
      reference: { x in
        x / (1 + exp(-2 * (2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)))
      }),
    Function(
      name: "quick_gelu", apply: { quickGELU($0) }, reference: { $0 / (1 + exp(-1.702 * $0)) }),
  ]

  @Test(arguments: functions)
  func matchesTorch(_ function: Function) throws {
    for item in try Fixture(function.name).cases {
      // Around x = -100 and 100 the gradient is relative to 1e34, elsewhere to about 1.
      try expectMatch(item, inputs: ["x"]) { function.apply($0[0]) }
    }
  }

  /// Every value to within a few units in the last place, not only relative to the largest.
  ///
  /// The functions that multiply `x` by a constant first inherit that product's rounding error,
  /// which the exponential of a product near -20 makes about 20 times as large. The tail of `gelu`
  /// is accurate in absolute terms.
  @Test(arguments: functions)
  func everyElementIsAccurate(_ function: Function) {
    let inputs = (0..<20_001).map { Float($0 - 10_000) / 2_000 }.filter {
      !function.isForPositive || $0 > 0
    }
    let y = function.apply(Tensor(inputs, [inputs.count])).values
    let floor = function.name == "gelu" ? 0.05 : 1e-30
    var worst = 0.0
    for (x, found) in zip(inputs, y) {
      let expected = function.reference(Double(x))
      worst = max(worst, abs(Double(found) - expected) / max(abs(expected), floor))
    }
    let tolerance = function.name.contains("gelu") ? 3e-6 : 3e-7
    #expect(worst <= tolerance)
  }

  @Test(arguments: functions)
  func gradientMatchesFiniteDifferences(_ function: Function) {
    expectGradient(
      of: { function.apply($0[0]) }, shapes: [[17]], seed: 1,
      domain: { function.isForPositive ? abs($0) + 0.5 : $0 + 0.02 * sign($0) })
  }

  @Test func absoluteValueSquareAndClampMatchClosedForms() {
    let x: [Float] = [-3, -1, -0.5, 0, 0.5, 1, 7]
    let variable = Tensor(x, [7]).asVariable()
    expectClose(abs(variable), x.map { Double(abs($0)) }, tolerance: 0)
    expectClose(square(variable), x.map { Double($0 * $0) }, tolerance: 0)
    expectClose(
      variable.clamped(to: -1...1), x.map { Double(min(1, max(-1, $0))) }, tolerance: 0)
    let slopes = [abs(variable), square(variable), variable.clamped(to: -1...1)].map {
      gradients(of: $0)[variable]?.values
    }
    #expect(slopes[0] == [-1, -1, -1, 0, 1, 1, 1])
    #expect(slopes[1] == x.map { 2 * $0 })
    #expect(slopes[2] == [0, 1, 1, 1, 1, 1, 0])
  }

  @Test func limitsAreThoseOfIEEE() {
    let infinity = Float.infinity
    #expect(
      exp(Tensor([-infinity, infinity, -200, 200, 0], [5])).values == [0, infinity, 0, infinity, 1])
    #expect(log(Tensor([0, infinity, 1], [3])).values == [-infinity, infinity, 0])
    #expect(log(Tensor([-1], [1])).values[0].isNaN)
    #expect(exp(Tensor([.nan], [1])).values[0].isNaN)
    #expect(tanh(Tensor([-infinity, infinity], [2])).values == [-1, 1])
    #expect(sigmoid(Tensor([-infinity, infinity], [2])).values == [0, 1])
    #expect(silu(Tensor([Float](), [0])).shape == [0])
    let denormal = Float.leastNonzeroMagnitude * 12_345
    expectClose(log(Tensor([denormal], [1])), [Glibc.log(Double(denormal))])
    expectClose(exp(Tensor([-100], [1])), [Glibc.exp(-100)], tolerance: 2e-2, floor: 0)
  }

  @Test func resultsDoNotDependOnThreads() {
    var generator = TorchGenerator(seed: 3)
    let x = Tensor.randn([50_001], using: &generator).asVariable()
    expectThreadIndependence {
      let y = silu(gelu(x))
      return [y] + [gradients(of: y)[x]].compactMap { $0 }
    }
  }

  private func sign(_ x: Tensor) -> Tensor {
    Tensor(x.values.map { $0 < 0 ? -1 : 1 }, x.shape)
  }
}
