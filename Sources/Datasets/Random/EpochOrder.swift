/// The order in which a run sees its examples: all of them in every epoch, shuffled anew each time.
///
/// A pure function of the seed and the number of the sample, so that resuming needs that number
/// and nothing else.
public struct EpochOrder: Equatable, Hashable, Sendable {
  private let seed: UInt64
  /// Example of every place of an unshuffled epoch, `[samplesPerEpoch]`.
  private let entries: [Int]

  /// Makes an order of examples that are repeated within an epoch.
  ///
  /// - Parameters:
  ///   - seed: of the run.
  ///   - repeats: how often an epoch has each example, `[examples]`; 0 leaves one out.
  public init(seed: UInt64, repeats: [Int]) {
    precondition(
      repeats.allSatisfy { $0 >= 0 }, "EpochOrder: repeats must be at least 0, got \(repeats)")
    self.seed = seed
    entries = repeats.enumerated().flatMap { [Int](repeating: $0.offset, count: $0.element) }
    precondition(!entries.isEmpty, "EpochOrder: there must be an example")
  }

  /// Makes an order of `count` examples that an epoch has once each.
  public init(seed: UInt64, count: Int) {
    self.init(seed: seed, repeats: [Int](repeating: 1, count: count))
  }

  /// How many samples an epoch has.
  public var samplesPerEpoch: Int { entries.count }

  /// The epoch of a sample; both count from 0.
  public func epoch(ofSample sample: Int) -> Int { sample / entries.count }

  /// The example of sample number `sample`, counted from 0 over all epochs.
  ///
  /// It takes time proportional to `samplesPerEpoch`; ask `indices(from:count:)` for a batch.
  public func index(ofSample sample: Int) -> Int { indices(from: sample, count: 1)[0] }

  /// The examples of the samples `sample..<sample + count`, which may reach over epochs.
  public func indices(from sample: Int, count: Int) -> [Int] {
    precondition(
      sample >= 0 && count >= 0, "EpochOrder: there is no sample \(sample) or count \(count)")
    var result: [Int] = []
    result.reserveCapacity(count)
    var next = sample
    while result.count < count {
      let place = next % entries.count
      let taken = min(count - result.count, entries.count - place)
      result += permutation(ofEpoch: next / entries.count)[place..<place + taken]
      next += taken
    }
    return result
  }

  /// The examples of a whole epoch in order, `[samplesPerEpoch]`.
  ///
  /// Source: Fisher and Yates in Durstenfeld's form (1964), from the end to the start.
  public func permutation(ofEpoch epoch: Int) -> [Int] {
    var generator = SplitMix64(seed: stepSeed(seed, epoch, .order))
    var order = entries
    for last in stride(from: order.count - 1, to: 0, by: -1) {
      order.swapAt(last, generator.below(last + 1))
    }
    return order
  }
}
