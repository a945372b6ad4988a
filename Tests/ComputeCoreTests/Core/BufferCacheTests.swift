import ComputeCore
import Testing

@Suite struct BufferCacheTests {
  @Test func sizesAreRoundedUpByAnEighthAtMost() {
    #expect(BufferCache.classSize(0) == 64)
    #expect(BufferCache.classSize(64) == 64)
    #expect(BufferCache.classSize(65) == 128)
    for bytes in stride(from: 512, to: 5_000_000, by: 977) {
      let size = BufferCache.classSize(bytes)
      #expect(size >= bytes && size <= bytes + bytes / 8 + 64)
      #expect(size % 64 == 0)
      #expect(BufferCache.classSize(size) == size)
    }
  }

  @Test func buffersAreAlignedAndUsedAgain() {
    let cache = BufferCache()
    for (bytes, alignment) in [(64, 64), (4_096, 64), (2 << 20, 2 << 20), (3 << 20, 2 << 20)] {
      let first = cache.take(bytes)
      #expect(UInt(bitPattern: first) % UInt(alignment) == 0)
      let second = cache.take(bytes)
      #expect(first != second)
      cache.give(first, bytes)
      #expect(cache.take(bytes) == first)
      cache.give(first, bytes)
      cache.give(second, bytes)
    }
  }

  @Test func thePeakIsTheMostInUseAtOneTime() {
    let cache = BufferCache()
    let a = cache.take(1_024)
    let b = cache.take(2_048)
    cache.give(a, 1_024)
    let c = cache.take(512)
    #expect(cache.peakBytes == 3_072)
    cache.resetPeak()
    #expect(cache.peakBytes == 2_560)
    cache.give(b, 2_048)
    cache.give(c, 512)
    #expect(cache.peakBytes == 2_560)
    cache.resetPeak()
    #expect(cache.peakBytes == 0)
  }

  /// A program that goes from one set of sizes to another must not keep both.
  @Test func whatIsKeptStaysWithinAQuarterOfTheMostInUse() {
    let cache = BufferCache()
    for size in [1_024, 2_048, 4_096, 8_192] {
      let buffers = (0..<65_536 / size).map { _ in cache.take(size) }
      #expect(cache.heldBytes <= 65_536 * 5 / 4)
      for buffer in buffers { cache.give(buffer, size) }
      #expect(cache.heldBytes <= 65_536 * 5 / 4)
    }
    #expect(cache.heldBytes >= 65_536)
  }

  /// What lasts is counted as in use, but gives no room to keep more, and neither does what was in
  /// use while it was made.
  @Test func whatLastsDoesNotRaiseWhatIsKept() {
    let cache = BufferCache()
    let size = 1 << 20
    let lasting = cache.preparing {
      let buffers = (0..<8).map { _ in cache.take(size) }
      for buffer in buffers { cache.give(buffer, size) }
      return cache.takeLasting(100 * size + 5)
    }
    #expect(UInt(bitPattern: lasting) % (2 << 20) == 0)
    #expect(cache.heldBytes == 100 * size + 5)
    #expect(cache.peakBytes == 100 * size + 5)
    cache.give(cache.take(size), size)
    #expect(cache.heldBytes == 101 * size + 5)
    cache.giveLasting(lasting, 100 * size + 5)
    #expect(cache.heldBytes == size)
  }
}
