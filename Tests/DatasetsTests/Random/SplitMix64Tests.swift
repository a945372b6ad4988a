import Datasets
import Testing

@Suite struct SplitMix64Tests {
  /// The first outputs for seed 1234567, as published with Vigna's reference code on Rosetta Code.
  @Test func sequenceMatchesReference() {
    var generator = SplitMix64(seed: 1_234_567)
    let expected: [UInt64] = [
      6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423,
      4_593_380_528_125_082_431, 16_408_922_859_458_223_821,
    ]
    #expect(expected.map { _ in generator.next() } == expected)
  }

  @Test func belowIsUniform() {
    var generator = SplitMix64(seed: 3)
    var counts = [Int](repeating: 0, count: 7)
    for _ in 0..<70_000 { counts[generator.below(7)] += 1 }
    // The deviation of each count is 93; 6 deviations happen once in 10^8 runs.
    #expect(counts.allSatisfy { abs($0 - 10_000) < 560 }, "\(counts)")
    #expect((0..<100).allSatisfy { _ in generator.below(1) == 0 })
    #expect((0..<1000).allSatisfy { _ in (0..<1).contains(generator.unit()) })
  }
}
