import Glibc

/// The random numbers of torch's CUDA generator, as AUTOMATIC1111's web UI makes them on the CPU.
///
/// Source: Salmon et al. 2011, "Parallel Random Numbers: As Easy as 1, 2, 3", Philox 4x32 with 10
/// rounds; AUTOMATIC1111 `modules/rng_philox.py` (random source "NV"), which the numbers equal.
public struct PhiloxGenerator: Sendable, Equatable {
  private let seed: UInt64
  /// Draws so far.
  private var offset: UInt32 = 0

  /// A generator at its first draw.
  public init(seed: UInt64) {
    self.seed = seed
  }

  /// Writes `count` normal numbers of mean 0 and variance 1: one draw.
  mutating func fillNormal(_ y: UnsafeMutablePointer<Float>, _ count: Int) {
    let (seed, offset) = (self.seed, self.offset)
    self.offset &+= 1
    nonisolated(unsafe) let y = y
    parallelChunks(count) { range in
      for index in range {
        let words = PhiloxGenerator.block(
          SIMD4(offset, 0, UInt32(truncatingIfNeeded: index), 0), key: seed)
        y[index] = PhiloxGenerator.normal(words.x, words.y)
      }
    }
  }

  /// The four random words that a counter and a key of 64 bits give.
  package static func block(_ counter: SIMD4<UInt32>, key: UInt64) -> SIMD4<UInt32> {
    var counter = counter
    var low = UInt32(truncatingIfNeeded: key)
    var high = UInt32(truncatingIfNeeded: key >> 32)
    for _ in 0..<10 {
      let a = UInt64(counter.x) * 0xd251_1f53
      let b = UInt64(counter.z) * 0xcd9e_8d57
      counter = SIMD4(
        UInt32(truncatingIfNeeded: b >> 32) ^ counter.y ^ low, UInt32(truncatingIfNeeded: b),
        UInt32(truncatingIfNeeded: a >> 32) ^ counter.w ^ high, UInt32(truncatingIfNeeded: a))
      low &+= 0x9e37_79b9
      high &+= 0xbb67_ae85
    }
    return counter
  }

  /// The second of the two numbers of Box and Muller's method, in 64 bits from 32-bit constants.
  private static func normal(_ x: UInt32, _ y: UInt32) -> Float {
    let unit = Float(2.3283064e-10)
    let turn = Float(2.3283064e-10 * 6.2831855)
    let u = Double(x) * Double(unit) + Double(unit / 2)
    let v = Double(y) * Double(turn) + Double(turn / 2)
    return Float((-2 * log(u)).squareRoot() * sin(v))
  }
}
