import ComputeCore
import TestSupport
import Testing

@Suite struct ArithmeticTests {
  /// An operator by the name of its fixture.
  struct Operator: Sendable, CustomTestStringConvertible {
    let name: String
    let apply: @Sendable (Tensor, Tensor) -> Tensor
    let reference: @Sendable (Float, Float) -> Float
    var testDescription: String { name }
  }

  static let operators: [Operator] = [
    Operator(name: "add", apply: { $0 + $1 }, reference: { $0 + $1 }),
    Operator(name: "sub", apply: { $0 - $1 }, reference: { $0 - $1 }),
    Operator(name: "mul", apply: { $0 * $1 }, reference: { $0 * $1 }),
    Operator(name: "div", apply: { $0 / $1 }, reference: { $0 / $1 }),
  ]

  @Test(arguments: operators)
  func matchesTorch(_ op: Operator) throws {
    for item in try Fixture(op.name).cases {
      try expectMatch(item, inputs: ["a", "b"]) { op.apply($0[0], $0[1]) }
    }
  }

  @Test(arguments: operators)
  func gradientMatchesFiniteDifferences(_ op: Operator) {
    for (a, b) in [
      ([7], [7]), ([2, 3, 5], [5]), ([2, 3, 2, 3], [2, 1, 1, 3]), ([], [3]), ([3, 1], [1, 4]),
    ] {
      expectGradient(
        of: { op.apply($0[0], $0[1]) }, shapes: [a, b], seed: 5,
        domain: { abs($0) + 0.5 })
    }
  }

  /// Large enough for several pieces, and with every pattern of broadcast axes.
  @Test(arguments: operators, 0..<16)
  func broadcastingMatchesIndexing(_ op: Operator, _ pattern: Int) {
    let full = [3, 7, 33, 65]
    let shape = full.enumerated().map { pattern >> $0.offset & 1 == 0 ? $0.element : 1 }
    var generator = TorchGenerator(seed: 9)
    let (a, b) = (
      Tensor.randn(full, using: &generator), Tensor.randn(shape, using: &generator)
    )
    let (av, bv) = (a.values, b.values)
    var expected: [Float] = []
    var swapped: [Float] = []
    for index in 0..<a.count {
      var (rest, step, other) = (index, 1, 0)
      for axis in (0..<4).reversed() {
        let position = rest % full[axis]
        rest /= full[axis]
        other += shape[axis] == 1 ? 0 : position * step
        step *= shape[axis]
      }
      expected.append(op.reference(av[index], bv[other]))
      swapped.append(op.reference(bv[other], av[index]))
    }
    #expect(op.apply(a, b).values == expected)
    #expect(op.apply(b, a).values == swapped)
    expectThreadIndependence { [op.apply(a, b)] }
  }

  @Test func scalarsMatchClosedForms() {
    let x: [Float] = [-2, 0.5, 4]
    let variable = Tensor(x, [3]).asVariable()
    let cases: [(Tensor, (Float) -> Float, (Float) -> Float)] = [
      (variable + 3, { $0 + 3 }, { _ in 1 }), (3 + variable, { $0 + 3 }, { _ in 1 }),
      (variable - 3, { $0 - 3 }, { _ in 1 }), (3 - variable, { 3 - $0 }, { _ in -1 }),
      (variable * 3, { $0 * 3 }, { _ in 3 }), (3 * variable, { $0 * 3 }, { _ in 3 }),
      (variable / 3, { $0 / 3 }, { _ in 1 / 3 }), (3 / variable, { 3 / $0 }, { -3 / ($0 * $0) }),
      (-variable, { -$0 }, { _ in -1 }),
    ]
    for (y, value, slope) in cases {
      #expect(y.values == x.map(value))
      expectClose(
        gradients(of: y)[variable] ?? .zeros([]), x.map { Double(slope($0)) }, tolerance: 1e-7)
    }
  }

  @Test func emptyAndSingleNumbersBroadcast() {
    #expect((Tensor([], [0, 3]) + Tensor([1, 2, 3], [3])).shape == [0, 3])
    #expect((Tensor(2) * Tensor(3)).item == 6)
    #expect((Tensor(2) * Tensor([3], [1, 1])).shape == [1, 1])
  }
}
