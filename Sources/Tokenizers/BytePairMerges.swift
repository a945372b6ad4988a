/// The merge rules of a byte-pair encoding and their application to one word.
///
/// Source: Sennrich et al. 2016, arXiv:1508.07909, algorithm 1. The pair of lowest rank is merged
/// first, of equal pairs the leftmost. A heap of candidate pairs keeps a word of n symbols at
/// O(n log n), so that one very long word cannot stall the encoder.
struct BytePairMerges: Sendable {
  private struct Rule {
    let rank: UInt32
    let id: Int32
  }

  private var rules: [UInt64: Rule] = [:]

  init(minimumCapacity: Int) {
    rules.reserveCapacity(minimumCapacity)
  }

  private static func key(_ left: Int32, _ right: Int32) -> UInt64 {
    UInt64(UInt32(bitPattern: left)) << 32 | UInt64(UInt32(bitPattern: right))
  }

  /// Adds a rule that ranks behind all earlier ones; a pair that has a rule keeps its rank.
  mutating func append(_ left: Int32, _ right: Int32, to id: Int32) {
    let rule = Rule(rank: UInt32(rules.count), id: id)
    let key = Self.key(left, right)
    if rules[key] == nil { rules[key] = rule }
  }

  /// Merges the symbols of one word until no rule applies.
  func merged(_ word: [Int32]) -> [Int32] {
    guard word.count > 1 else { return word }
    var symbols = word
    var next = Array(1...word.count)  // index of the right neighbour; word.count = none
    var previous = Array(-1..<(word.count - 1))
    var isAlive = [Bool](repeating: true, count: word.count)
    var heap = MinHeap()

    func push(_ left: Int) {
      guard left >= 0, next[left] < word.count else { return }
      guard let rule = rules[Self.key(symbols[left], symbols[next[left]])] else { return }
      heap.push(UInt64(rule.rank) << 32 | UInt64(left))
    }
    for left in 0..<(word.count - 1) { push(left) }

    while let top = heap.pop() {
      let left = Int(top & 0xFFFF_FFFF)
      guard isAlive[left], next[left] < word.count else { continue }
      let right = next[left]
      guard let rule = rules[Self.key(symbols[left], symbols[right])],
        UInt64(rule.rank) == top >> 32
      else { continue }  // the pair changed after it was pushed
      symbols[left] = rule.id
      isAlive[right] = false
      next[left] = next[right]
      if next[left] < word.count { previous[next[left]] = left }
      push(previous[left])
      push(left)
    }
    return symbols.indices.filter { isAlive[$0] }.map { symbols[$0] }
  }
}

/// A binary heap that gives its smallest key first.
private struct MinHeap {
  private var keys: [UInt64] = []

  mutating func push(_ key: UInt64) {
    keys.append(key)
    var child = keys.count - 1
    while child > 0, keys[child] < keys[(child - 1) / 2] {
      keys.swapAt(child, (child - 1) / 2)
      child = (child - 1) / 2
    }
  }

  mutating func pop() -> UInt64? {
    guard let last = keys.popLast() else { return nil }
    guard let top = keys.first else { return last }
    keys[0] = last
    var parent = 0
    while true {
      var smallest = parent
      for child in [2 * parent + 1, 2 * parent + 2]
      where child < keys.count && keys[child] < keys[smallest] {
        smallest = child
      }
      if smallest == parent { return top }
      keys.swapAt(parent, smallest)
      parent = smallest
    }
  }
}
