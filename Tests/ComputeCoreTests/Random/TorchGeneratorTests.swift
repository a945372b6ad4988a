import ComputeCore
import TestSupport
import Testing

@Suite struct TorchGeneratorTests {
  /// `kind count` as the fixtures write a draw, made with the generator.
  private func draw(_ text: String, _ generator: inout TorchGenerator) throws -> [Float] {
    let parts = text.split(separator: " ")
    let count = try #require(Int(parts[1]))
    if parts[0] == "randn" { return Tensor.randn([count], using: &generator).values }
    if parts[0] == "rand" { return Tensor.rand([count], using: &generator).values }
    if parts[0] == "randperm" { return generator.permutation(count).map { Float($0) } }
    let high = try #require(Int(parts[0].dropFirst("randint".count)))
    return Tensor.randint(0..<high, [count], using: &generator).values
  }

  /// Bit for bit, whatever the order of draws and their sizes.
  @Test func drawsEqualTorch() throws {
    for item in try Fixture("randn").cases where !item.name.hasPrefix("latents") {
      let seed: UInt64 = UInt64(try item.parameter("seed", as: Int.self))
      var generator = TorchGenerator(seed: seed)
      for (index, text) in try item.parameter("draws", as: [String].self).enumerated() {
        let key = String(index)
        let found = try draw(text, &generator)
        let isInteger = text.hasPrefix("randint") || text.hasPrefix("randperm")
        let expected =
          try isInteger ? item.integers(key).map { Float($0) } : item.tensor(key).values
        #expect(found == expected, "\(item.name), draw \(index): \(text)")
      }
    }
  }

  @Test func latentsEqualTorch() throws {
    let fixture = try Fixture("randn")
    let item = try #require(fixture.cases.first { $0.name == "latents_seed42" })
    var generator = TorchGenerator(seed: 42)
    for index in 0..<2 {
      let x = Tensor.randn([1, 4, 64, 64], using: &generator).values
      #expect(Array(x[..<64] + x[(x.count - 64)...]) == (try item.tensor(String(index)).values))
    }
  }

  /// Published first numbers of `torch.manual_seed(s); torch.randn(…)`.
  @Test func firstNumbersAreKnown() {
    var small = TorchGenerator(seed: 0)
    expectClose(
      Tensor.randn([4], using: &small), [1.540996, -0.293429, -2.178789, 0.568431],
      tolerance: 1e-6)
    var large = TorchGenerator(seed: 1234)
    let x = Tensor.randn([1, 4, 64, 64], using: &large).values
    expectClose(
      Tensor(Array(x[..<4]), [4]), [-0.111719, -0.496590, 0.163074, -0.881688], tolerance: 1e-6)
  }

  @Test(arguments: [0, 1, 5, 16, 17, 1_000])
  func stateContinuesExactly(_ count: Int) {
    var generator = TorchGenerator(seed: 7)
    _ = Tensor.randn([count], using: &generator)
    let state = generator.state
    let expected = [3, 20, 700].map { Tensor.randn([$0], using: &generator).values }
    var restored = TorchGenerator(seed: 0)
    restored.state = state
    #expect([3, 20, 700].map { Tensor.randn([$0], using: &restored).values } == expected)
    #expect(restored == generator)
    #expect(TorchGenerator(state: Array(state.dropLast())) == nil)
    #expect(TorchGenerator(state: state.map { _ in 9_999 }) == nil)
  }

  @Test func drawsDoNotDependOnThreads() {
    expectThreadIndependence {
      var generator = TorchGenerator(seed: 5)
      return [Tensor.randn([50_007], using: &generator)]
    }
  }

  @Test func normalNumbersHaveTheRightMoments() {
    var generator = TorchGenerator(seed: 11)
    let x = Tensor.randn([1_000_000], using: &generator)
    // Four standard errors of the mean and of the variance.
    #expect(abs(x.mean().item) < 0.004)
    #expect(abs(square(x).mean().item - 1) < 0.006)
    let order = generator.permutation(1_000)
    #expect(order.sorted() == Array(0..<1_000))
  }
}
