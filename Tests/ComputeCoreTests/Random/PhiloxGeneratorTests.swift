import ComputeCore
import Testing

@Suite struct PhiloxGeneratorTests {
  /// Known answers of the authors' library Random123, `kat_vectors`, philox4x32 with 10 rounds.
  @Test(arguments: [
    (SIMD4<UInt32>(0, 0, 0, 0), UInt64(0), "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
    (SIMD4<UInt32>(repeating: .max), .max, "408f276d 41c83b0e a20bc7c6 6d5451fd"),
    (
      SIMD4<UInt32>(0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344), 0x299f_31d0_a409_3822,
      "d16cfe09 94fdcceb 5001e420 24126ea1"
    ),
  ]) func blocksEqualKnownAnswers(
    _ counter: SIMD4<UInt32>, _ key: UInt64, _ expected: String
  ) {
    let words = PhiloxGenerator.block(counter, key: key)
    let known = expected.split(separator: " ").compactMap { UInt32($0, radix: 16) }
    #expect(known == (0..<4).map { words[$0] })
  }

  /// Published in AUTOMATIC1111's `rng_philox.py`, and by torch on a GPU.
  @Test func numbersEqualTheWebUI() {
    var generator = PhiloxGenerator(seed: 0)
    let first = Tensor.randn([3, 4], using: &generator).values
    let expected: [Float] = [
      -0.92466259, -0.42534415, -2.6438457, 0.14518388, -0.12086647, -0.57972564, -0.62285122,
      -0.32838709, -1.07454231, -0.36314407, -1.67105067, 2.26550497,
    ]
    #expect(zip(first, expected).allSatisfy { abs($0 - $1) < 1e-6 })
    let second = Tensor.randn([4], using: &generator).values
    let next: [Float] = [0.180826, -0.552263, 0.923813, -0.734970]
    #expect(zip(second, next).allSatisfy { abs($0 - $1) < 1e-6 })
    generator = PhiloxGenerator(seed: 42)
    let other: [Float] = [0.194019, 2.161374, -0.172051, 0.849060]
    let found = Tensor.randn([4], using: &generator).values
    #expect(zip(found, other).allSatisfy { abs($0 - $1) < 1e-6 })
  }

  @Test func numbersDoNotDependOnThreads() {
    func draw(_ threads: Int) -> [Float] {
      Compute.with(
        { $0.threads = threads },
        {
          var generator = PhiloxGenerator(seed: 9)
          return Tensor.randn([3, 4, 101, 97], using: &generator).values
        })
    }
    #expect(draw(1) == draw(2))
  }
}
