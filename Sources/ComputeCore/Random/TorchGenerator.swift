import CKernels
import Glibc

/// The random numbers of torch's CPU generator: the same seed gives the same numbers, bit for bit.
///
/// Source: Matsumoto & Nishimura 1998, MT19937; torch `ATen/core/MT19937RNGEngine.h`,
/// `ATen/native/cpu/DistributionTemplates.h` and, for the polynomials, `avx_mathfun.h`.
public struct TorchGenerator: RandomNumberGenerator, Sendable, Equatable {
  private static let wordCount = 624
  private var words: [UInt32]
  /// The next word to be used; `wordCount` when all are.
  private var position: Int
  /// The second number of a pair that a small `randn` made; the next one begins with it.
  private var cachedNormal: Double?

  /// - Parameter seed: torch uses the lower 32 bits only, so does this.
  public init(seed: UInt64) {
    var word = UInt32(truncatingIfNeeded: seed)
    words = [word]
    for index in 1..<TorchGenerator.wordCount {
      word = 1_812_433_253 &* (word ^ (word >> 30)) &+ UInt32(index)
      words.append(word)
    }
    position = TorchGenerator.wordCount
  }

  /// Everything that decides the numbers to come, in 628 words, to be stored and set again.
  ///
  /// The 624 words of the twister, the position in them, whether a number is cached (0 or 1), and
  /// the lower and upper half of the bits of that number. What is set must be such a value.
  public var state: [UInt32] {
    get {
      let bits = cachedNormal?.bitPattern ?? 0
      return words + [
        UInt32(position), cachedNormal == nil ? 0 : 1, UInt32(truncatingIfNeeded: bits),
        UInt32(truncatingIfNeeded: bits >> 32),
      ]
    }
    set {
      guard let restored = TorchGenerator(state: newValue) else {
        preconditionFailure("TorchGenerator: \(newValue.count) words are not a state")
      }
      self = restored
    }
  }

  /// A generator that continues where `state` was taken; `nil` when that is not a state.
  public init?(state: [UInt32]) {
    let count = TorchGenerator.wordCount
    guard state.count == count + 4, state[count] <= count, state[count + 1] <= 1 else { return nil }
    words = Array(state[..<count])
    position = Int(state[count])
    if state[count + 1] == 1 {
      cachedNormal = Double(bitPattern: UInt64(state[count + 3]) << 32 | UInt64(state[count + 2]))
    }
  }

  /// The next 32 random bits.
  public mutating func next32() -> UInt32 {
    refillIfNeeded()
    var x = words[position]
    position += 1
    x ^= x >> 11
    x ^= (x << 7) & 0x9d2c_5680
    x ^= (x << 15) & 0xefc6_0000
    return x ^ (x >> 18)
  }

  /// The next 64 random bits, the upper half first.
  public mutating func next() -> UInt64 {
    let upper = UInt64(next32())
    return upper << 32 | UInt64(next32())
  }

  /// `count` integers from `range`, equal to `torch.randint`.
  public mutating func integers(in range: Range<Int>, count: Int) -> [Int] {
    precondition(!range.isEmpty, "integers: the range \(range) is empty")
    let size = UInt64(range.count)
    return (0..<count).map { _ in
      let bits = size >= 1 << 28 ? next() : UInt64(next32())
      return range.lowerBound + Int(bits % size)
    }
  }

  /// The numbers `0..<count` in random order, equal to `torch.randperm`.
  public mutating func permutation(_ count: Int) -> [Int] {
    var order = Array(0..<count)
    for index in 0..<max(0, count - 1) {
      order.swapAt(index, index + Int(next32() % UInt32(count - index)))
    }
    return order
  }

  /// Writes `count` uniform numbers of [0, 1).
  mutating func fillUniform(_ y: UnsafeMutablePointer<Float>, _ count: Int) {
    var done = 0
    while done < count {
      refillIfNeeded()
      let length = min(count - done, TorchGenerator.wordCount - position)
      words.withUnsafeBufferPointer { source in
        ck_mt19937_uniform_f32(y + done, source.baseAddress.map { $0 + position }, length)
      }
      position += length
      done += length
    }
  }

  /// Writes `count` normal numbers of mean 0 and variance 1.
  ///
  /// From 16 on in blocks of 16, where a last block that is not full is drawn anew together with
  /// as many numbers before it as it takes; below 16 one by one in double precision.
  mutating func fillNormal(_ y: UnsafeMutablePointer<Float>, _ count: Int) {
    guard count >= 16 else {
      for index in 0..<count { y[index] = Float(nextNormal()) }
      return
    }
    fillUniform(y, count)
    parallelChunks(count / 16, chunk: 1024) {
      ck_box_muller_f32(y + $0.lowerBound * 16, $0.count * 16)
    }
    if count % 16 != 0 {
      fillUniform(y + count - 16, 16)
      ck_box_muller_f32(y + count - 16, 16)
    }
  }

  private mutating func nextNormal() -> Double {
    if let cached = cachedNormal {
      cachedNormal = nil
      return cached
    }
    let u1 = nextDouble()
    let u2 = nextDouble()
    let radius = (-2 * log1p(-u2)).squareRoot()
    let theta = 2 * Double.pi * u1
    cachedNormal = radius * sin(theta)
    return radius * cos(theta)
  }

  /// Uniform in [0, 1) with 53 bits.
  private mutating func nextDouble() -> Double {
    Double(next() & (1 << 53 - 1)) * 0x1p-53
  }

  private mutating func refillIfNeeded() {
    guard position == TorchGenerator.wordCount else { return }
    words.withUnsafeMutableBufferPointer { ck_mt19937_twist($0.baseAddress) }
    position = 0
  }
}
