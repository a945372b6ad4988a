import ComputeCore
import TestSupport
import Testing

@Suite struct ReductionsTests {
  static let names = ["sum", "mean", "max"]

  static func apply(_ name: String, _ x: Tensor, _ axes: [Int], _ keepDims: Bool) -> Tensor {
    switch name {
    case "sum": x.sum(axes: axes, keepDims: keepDims)
    case "mean": x.mean(axes: axes, keepDims: keepDims)
    default: x.max(axes: axes, keepDims: keepDims)
    }
  }

  @Test(arguments: names)
  func matchesTorch(_ name: String) throws {
    for item in try Fixture("reduce_\(name)").cases {
      let axes: [Int] = try item.parameter("axes")
      let keepDims: Bool = try item.parameter("keepdim")
      try expectMatch(item, inputs: ["x"], floor: 1) {
        ReductionsTests.apply(name, $0[0], axes, keepDims)
      }
    }
  }

  /// Shapes that take every path: one piece, many pieces, rows, columns, and axes in between.
  @Test(arguments: [
    ([70_000], [0]), ([3, 40_000], [1]), ([40_000, 3], [0]), ([2, 9_000, 5], [1]),
    ([50, 9, 40, 3], [0, 2]), ([2, 100, 3, 100], [1, 3]), ([5, 0], [0]), ([1, 1, 17], [-1]),
    ([33, 65], [0]), ([4, 4], []),
  ])
  func matchesFloat64Loops(_ shape: [Int], _ axes: [Int]) {
    var generator = TorchGenerator(seed: 2)
    let x = Tensor.randn(shape, using: &generator)
    let reduced = axes.map { $0 < 0 ? $0 + shape.count : $0 }
    let keptShape = shape.indices.map { reduced.contains($0) ? 1 : shape[$0] }
    var sums = [Double](repeating: 0, count: keptShape.reduce(1, *))
    var largest = [Double](repeating: -.infinity, count: sums.count)
    for (index, value) in x.values.enumerated() {
      var (rest, step, target) = (index, 1, 0)
      for axis in shape.indices.reversed() {
        target += keptShape[axis] == 1 ? 0 : rest % shape[axis] * step
        rest /= shape[axis]
        step *= keptShape[axis]
      }
      sums[target] += Double(value)
      largest[target] = max(largest[target], Double(value))
    }
    let total = x.sum(axes: axes, keepDims: true)
    #expect(total.shape == keptShape)
    expectClose(total, sums, tolerance: 3e-6, floor: 1)
    if x.count > 0 {
      expectClose(x.max(axes: axes, keepDims: true), largest, tolerance: 0)
      let count = Double(x.count / sums.count)
      expectClose(x.mean(axes: axes, keepDims: true), sums.map { $0 / count }, floor: 1)
    }
    expectThreadIndependence { [x.sum(axes: axes), x.max(axes: x.count > 0 ? axes : [])] }
  }

  @Test(arguments: names, [[0], [1], [2], [0, 2], [0, 1, 2]])
  func gradientMatchesFiniteDifferences(_ name: String, _ axes: [Int]) {
    // The step is smaller than the gaps between these numbers, so no maximum changes place.
    let spread = Tensor((0..<42).map { Float($0 * 11 % 42) * 0.1 - 2 }, [2, 7, 3])
    expectGradient(
      of: { ReductionsTests.apply(name, $0[0], axes, false) }, shapes: [[2, 7, 3]],
      domain: { _ in spread })
  }

  @Test func wholeSumAndMeanAreScalars() {
    let x = Tensor([1, 2, 3, 6], [2, 2]).asVariable()
    #expect(x.sum().shape == [])
    #expect(x.sum().item == 12)
    #expect(x.mean().item == 3)
    #expect(gradients(of: x.mean())[x]?.values == [0.25, 0.25, 0.25, 0.25])
  }

  @Test func gradientsOfLongReductionsReachEveryElement() {
    let x = Tensor.ones([3, 40_000]).asVariable()
    for y in [x.sum(axes: [1]), x.sum(axes: [0]), x.sum()] {
      #expect(gradients(of: y)[x]?.values.allSatisfy { $0 == 1 } == true)
    }
  }
}
