/// A random number generator of 64 bits of state, the same numbers on every machine.
///
/// Source: Steele, Lea and Flood 2014, "Fast splittable pseudorandom number generators", figure 16,
/// with the constants of Vigna's `splitmix64.c`.
public struct SplitMix64: RandomNumberGenerator, Equatable, Hashable, Sendable {
  private var state: UInt64

  /// Starts the sequence of a seed; any value is a good one.
  public init(seed: UInt64) { state = seed }

  /// The next 64 bits.
  public mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    return Self.mix(state)
  }

  /// A number from 0 up to, not including, `bound`, all of them equally likely.
  ///
  /// Written out, for the standard library may change its way from a number to a range.
  /// Source: Lemire 2019, arXiv:1805.10941, algorithm 5.
  public mutating func below(_ bound: Int) -> Int {
    precondition(bound > 0, "below: the bound must be at least 1, got \(bound)")
    let range = UInt64(bound)
    var product = next().multipliedFullWidth(by: range)
    if product.low < range {
      let threshold = (0 &- range) % range
      while product.low < threshold { product = next().multipliedFullWidth(by: range) }
    }
    return Int(product.high)
  }

  /// A number in [0, 1), a multiple of 2^-53.
  public mutating func unit() -> Double {
    Double(next() >> 11) * 0x1p-53
  }

  /// The output function: a permutation of the 64-bit numbers in which every bit decides on every
  /// other (Stafford's "Mix13").
  static func mix(_ value: UInt64) -> UInt64 {
    var z = value
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
