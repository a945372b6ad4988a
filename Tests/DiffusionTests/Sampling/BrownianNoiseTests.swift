import Checkpoints
import ComputeCore
import Diffusion
import Testing

@Suite struct BrownianNoiseTests {
  private let shape = [2, 4, 5, 3]

  @Test(arguments: [0, 7, 1 << 40 + 3] as [UInt64]) func seedsEqualNumPy(_ seed: UInt64) throws {
    let fixture = try Fixture("brownian").file
    func words(_ key: String) throws -> [UInt32] {
      try fixture.int32s(key).map { UInt32(bitPattern: $0) }
    }
    #expect(SeedSequence(seed, key: []).words(4) == (try words("words.\(seed)")))
    #expect(SeedSequence(seed, key: [5, 3]).words(4) == (try words("keyed.\(seed)")))
  }

  @Test(arguments: [("one", [7]), ("each", [7, 1 << 40 + 3])] as [(String, [UInt64])])
  func incrementsEqualTorchSDE(_ name: String, _ seeds: [UInt64]) throws {
    let fixture = try Fixture("brownian")
    let places = try fixture.values("places")
    let range = (places.min() ?? 0)...(places.max() ?? 1)
    var noise = BrownianNoise(TorchNoise(seed: 0), seeds: seeds, over: range)
    for index in 0..<places.count / 2 {
      let found = noise.noise(shape, from: places[2 * index], to: places[2 * index + 1])
      expectClose(
        found, try fixture.tensor("\(name).\(index)"), absolute: 2e-6, "\(name).\(index)")
    }
  }

  /// The whole is the sum of its parts, which is what a path is for.
  @Test func incrementsAddUp() {
    var noise = BrownianNoise(TorchNoise(seed: 0), seeds: [3], over: 0.1...8, generator: .philox)
    let (first, second) = (
      noise.noise(shape, from: 6, to: 2.5), noise.noise(shape, from: 2.5, to: 0.75)
    )
    let whole = noise.noise(shape, from: 6, to: 0.75)
    let sum = first * Float(3.5).squareRoot() + second * Float(1.75).squareRoot()
    expectClose(whole * Float(5.25).squareRoot(), sum, absolute: 1e-5)
  }

  @Test func freshNumbersAreNotOfThePath() {
    var noise = BrownianNoise(TorchNoise(seed: 5), seeds: [3], over: 0.1...8)
    var fresh = TorchNoise(seed: 5)
    #expect(noise.noise(shape).values == fresh.noise(shape).values)
    #expect(noise.noise(shape, from: 0.1, to: 0).values.allSatisfy { $0 == 0 })
  }
}
