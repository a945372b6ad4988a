import Datasets
import Testing

@Suite struct EpochOrderTests {
  @Test(arguments: [1, 2, 7, 100])
  func everyEpochIsAPermutation(_ count: Int) {
    let order = EpochOrder(seed: 5, count: count)
    for epoch in 0..<4 {
      #expect(order.permutation(ofEpoch: epoch).sorted() == Array(0..<count))
    }
    #expect(count < 7 || order.permutation(ofEpoch: 0) != order.permutation(ofEpoch: 1))
    #expect(
      count < 7
        || order.permutation(ofEpoch: 0)
          != EpochOrder(seed: 6, count: count)
          .permutation(ofEpoch: 0)
    )
  }

  @Test func repeatsAreCounted() {
    let order = EpochOrder(seed: 5, repeats: [2, 0, 1, 3])
    #expect(order.samplesPerEpoch == 6)
    #expect(order.permutation(ofEpoch: 9).sorted() == [0, 0, 2, 3, 3, 3])
    #expect(order.epoch(ofSample: 5) == 0 && order.epoch(ofSample: 6) == 1)
  }

  @Test func anyStartGivesTheSameSamples() {
    let order = EpochOrder(seed: 11, count: 10)
    let whole = order.indices(from: 0, count: 35)
    #expect(whole == (0..<35).map { order.index(ofSample: $0) })
    for start in 0..<35 {
      #expect(order.indices(from: start, count: 35 - start) == Array(whole[start...]))
    }
    #expect(order.indices(from: 3, count: 0).isEmpty)
  }

  @Test func everyPermutationIsEquallyLikely() {
    var counts: [[Int]: Int] = [:]
    for seed in 0..<6000 {
      counts[EpochOrder(seed: UInt64(seed), count: 3).permutation(ofEpoch: 0), default: 0] += 1
    }
    // The deviation of each count is 29.
    #expect(counts.count == 6 && counts.values.allSatisfy { abs($0 - 1000) < 174 }, "\(counts)")
  }
}

@Suite struct StepSeedTests {
  @Test func seedsOfAllStepsAndPurposesDiffer() {
    var seen: Set<UInt64> = []
    for seed in 0..<4 as Range<UInt64> {
      for step in 0..<500 {
        for purpose in RandomPurpose.allCases { seen.insert(stepSeed(seed, step, purpose)) }
      }
    }
    #expect(seen.count == 4 * 500 * RandomPurpose.allCases.count)
  }

  @Test func everyBitIsAsOftenSetAsNot() {
    var counts = [Int](repeating: 0, count: 64)
    for step in 0..<10_000 {
      let seed = stepSeed(1, step, .noise)
      for bit in 0..<64 where seed >> UInt64(bit) & 1 == 1 { counts[bit] += 1 }
    }
    // The deviation is 50.
    #expect(counts.allSatisfy { abs($0 - 5000) < 300 }, "\(counts)")
  }
}
