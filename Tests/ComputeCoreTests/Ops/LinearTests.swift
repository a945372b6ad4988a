import ComputeCore
import TestSupport
import Testing

@Suite struct LinearTests {
  @Test func matchesTorch() throws {
    for item in try Fixture("linear").cases {
      let keys = ["x", "weight"] + (item.has("bias") ? ["bias"] : [])
      try expectMatch(item, inputs: keys) {
        linear($0[0], weight: $0[1], bias: $0.count > 2 ? $0[2] : nil)
      }
    }
  }

  @Test func gradientsMatchFiniteDifferences() {
    expectGradient(
      of: { linear($0[0], weight: $0[1], bias: $0[2]) }, shapes: [[2, 3, 7], [5, 7], [5]])
    expectGradient(of: { matmul($0[0], $0[1]) }, shapes: [[2, 3, 7], [2, 7, 4]])
    expectGradient(of: { matmul($0[0], $0[1]) }, shapes: [[3, 7], [7, 4]])
  }

  @Test(arguments: [[1, 1, 1], [7, 17, 33], [65, 130, 257], [200, 64, 3]])
  func matmulMatchesFloat64(_ size: [Int]) {
    var generator = TorchGenerator(seed: 31)
    let (m, k, n) = (size[0], size[1], size[2])
    let a = Tensor.randn([2, m, k], using: &generator)
    let b = Tensor.randn([2, k, n], using: &generator)
    let (av, bv) = (a.values, b.values)
    var expected: [Double] = []
    for batch in 0..<2 {
      for row in 0..<m {
        for col in 0..<n {
          expected.append(
            (0..<k).reduce(0) {
              $0 + Double(av[(batch * m + row) * k + $1]) * Double(bv[(batch * k + $1) * n + col])
            })
        }
      }
    }
    expectClose(matmul(a, b), expected, tolerance: 2e-6)
    expectThreadIndependence { [matmul(a, b)] }
  }

  @Test func resultsDoNotDependOnThreads() {
    var generator = TorchGenerator(seed: 32)
    let x = Tensor.randn([500, 96], using: &generator).asVariable()
    let weight = Tensor.randn([200, 96], using: &generator).asVariable()
    expectThreadIndependence {
      let y = linear(x, weight: weight)
      let found = gradients(of: y, seed: y.detached())
      return [y] + [x, weight].compactMap { found[$0] }
    }
  }
}
