import Glibc
import Synchronization

/// Memory of a tensor; returns to the cache when the last tensor that uses it goes.
final class Storage: @unchecked Sendable {
  private enum Contents {
    case memory(UnsafeMutableRawPointer)
    case lasting(UnsafeMutableRawPointer)
    case readable(ReadableContents)
  }

  private let contents: Contents
  /// Bytes that can be used, at least the number asked for.
  let byteCount: Int
  /// Packed copies of the contents, for weights that no longer change.
  let packedForms = PackedForms()

  init(byteCount: Int) {
    self.byteCount = BufferCache.classSize(byteCount)
    contents = .memory(BufferCache.shared.take(self.byteCount))
  }

  /// Memory of exactly this size that will be kept for long, which the cache has no part in.
  init(lasting byteCount: Int) {
    self.byteCount = byteCount
    contents = .lasting(BufferCache.shared.takeLasting(byteCount))
  }

  /// Contents that take no memory until they are used; `read` gives the same each time.
  init(byteCount: Int, read: @escaping @Sendable () -> Storage) {
    self.byteCount = byteCount
    contents = .readable(ReadableContents(read))
  }

  deinit {
    switch contents {
    case .memory(let pointer): BufferCache.shared.give(pointer, byteCount)
    case .lasting(let pointer): BufferCache.shared.giveLasting(pointer, byteCount)
    case .readable: break
    }
  }

  /// The contents; those that are read on demand stay in memory from then on.
  var pointer: UnsafeMutableRawPointer {
    switch contents {
    case .memory(let pointer), .lasting(let pointer): pointer
    case .readable(let contents): contents.kept().pointer
    }
  }

  /// This storage, or its contents read for the caller alone if they are not in memory.
  func readOnce() -> Storage {
    switch contents {
    case .memory, .lasting: self
    case .readable(let contents): contents.current()
    }
  }
}

/// Contents of a storage that can be read again.
private final class ReadableContents: Sendable {
  private let read: @Sendable () -> Storage
  private let state = Mutex<Storage?>(nil)

  init(_ read: @escaping @Sendable () -> Storage) {
    self.read = read
  }

  /// The contents, kept from now on.
  func kept() -> Storage {
    state.withLock { state in
      if let known = state { return known }
      let fresh = read()
      state = fresh
      return fresh
    }
  }

  /// The contents that are kept, or fresh ones.
  func current() -> Storage { state.withLock { $0 } ?? read() }
}

/// Keeps freed buffers by size, because fresh pages cost more than most operations on them.
///
/// Buffers are aligned to 64 bytes, those of 2 MiB and more to huge pages. Sizes are rounded up to
/// an eighth of a power of two, so at most an eighth is wasted. What is in use and what is kept
/// together stay within 5/4 of the most that was ever in use, not counting what lasts (the packed
/// weights of a model) and what was in use only to make it.
package final class BufferCache: Sendable {
  /// The cache of this process.
  package static let shared = BufferCache()

  private struct State {
    var free: [Int: [UInt]] = [:]
    var cachedBytes = 0
    var liveBytes = 0
    var lastingBytes = 0
    var peakBytes = 0
    var highestBytes = 0
    var preparations = 0

    var limit: Int { highestBytes + highestBytes / 4 }

    /// Notes that `byteCount` more bytes are in use.
    mutating func use(_ byteCount: Int) {
      liveBytes += byteCount
      peakBytes = max(peakBytes, liveBytes + lastingBytes)
      if preparations == 0 { highestBytes = max(highestBytes, liveBytes) }
    }

    /// Takes out buffers, of the size that holds most bytes, until the limit is kept.
    mutating func trimmed() -> [(address: UInt, size: Int)] {
      var result: [(UInt, Int)] = []
      while liveBytes + cachedBytes > limit {
        let largest = free.max { $0.key * $0.value.count < $1.key * $1.value.count }
        guard let size = largest?.key, let address = free[size]?.popLast() else { break }
        cachedBytes -= size
        result.append((address, size))
      }
      return result
    }
  }

  private static let hugePage = 2 << 20
  private let state = Mutex(State())

  /// The most bytes that were in use at one time since the last reset.
  package var peakBytes: Int { state.withLock { $0.peakBytes } }

  /// Bytes in use and kept for later together.
  package var heldBytes: Int {
    state.withLock { $0.liveBytes + $0.lastingBytes + $0.cachedBytes }
  }

  /// An empty cache.
  package init() {}

  /// Starts a new measurement of `peakBytes` at what is in use now.
  package func resetPeak() {
    state.withLock { $0.peakBytes = $0.liveBytes + $0.lastingBytes }
  }

  /// Runs `body`, which makes something that lasts: what it uses on the way is not of a size that
  /// will be used again, so it does not count for how much is kept.
  package func preparing<R>(_ body: () -> R) -> R {
    state.withLock { $0.preparations += 1 }
    defer { state.withLock { $0.preparations -= 1 } }
    return body()
  }

  /// Memory of exactly `byteCount` bytes that is not taken from the cache.
  package func takeLasting(_ byteCount: Int) -> UnsafeMutableRawPointer {
    state.withLock {
      $0.lastingBytes += byteCount
      $0.peakBytes = max($0.peakBytes, $0.liveBytes + $0.lastingBytes)
    }
    return BufferCache.allocate(byteCount)
  }

  /// Takes such memory back.
  package func giveLasting(_ pointer: UnsafeMutableRawPointer, _ byteCount: Int) {
    state.withLock { $0.lastingBytes -= byteCount }
    BufferCache.release(pointer, byteCount)
  }

  /// The size of the buffer that `byteCount` bytes get.
  package static func classSize(_ byteCount: Int) -> Int {
    let bytes = max(64, byteCount)
    let step = max(64, (1 << (Int.bitWidth - 1 - bytes.leadingZeroBitCount)) / 8)
    return (bytes + step - 1) / step * step
  }

  /// A buffer of `byteCount` bytes, a size that `classSize` gave.
  package func take(_ byteCount: Int) -> UnsafeMutableRawPointer {
    let (cached, surplus) = state.withLock { state -> (UInt?, [(UInt, Int)]) in
      state.use(byteCount)
      guard let address = state.free[byteCount]?.popLast() else { return (nil, state.trimmed()) }
      state.cachedBytes -= byteCount
      return (address, [])
    }
    if let cached, let pointer = UnsafeMutableRawPointer(bitPattern: cached) { return pointer }
    for (address, size) in surplus {
      if let pointer = UnsafeMutableRawPointer(bitPattern: address) {
        BufferCache.release(pointer, size)
      }
    }
    return BufferCache.allocate(byteCount)
  }

  /// Takes a buffer back.
  package func give(_ pointer: UnsafeMutableRawPointer, _ byteCount: Int) {
    let isKept = state.withLock { state -> Bool in
      state.liveBytes -= byteCount
      guard state.liveBytes + state.cachedBytes + byteCount <= state.limit else { return false }
      state.cachedBytes += byteCount
      state.free[byteCount, default: []].append(UInt(bitPattern: pointer))
      return true
    }
    if !isKept { BufferCache.release(pointer, byteCount) }
  }

  /// New memory: from the system itself where it is large, since freed parts of the C library's heap
  /// do not go back while something behind them is in use.
  private static func allocate(_ byteCount: Int) -> UnsafeMutableRawPointer {
    guard byteCount < hugePage else { return mapPages(byteCount) }
    var pointer: UnsafeMutableRawPointer?
    guard posix_memalign(&pointer, 64, byteCount) == 0, let pointer else { outOfMemory(byteCount) }
    return pointer
  }

  /// Undoes `allocate`.
  private static func release(_ pointer: UnsafeMutableRawPointer, _ byteCount: Int) {
    if byteCount < hugePage {
      free(pointer)
    } else {
      munmap(pointer, byteCount)
    }
  }

  /// Pages that begin at a huge page's address: more are asked for, and the ends given back.
  private static func mapPages(_ byteCount: Int) -> UnsafeMutableRawPointer {
    let size = byteCount + hugePage
    guard
      let start = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
      start != MAP_FAILED
    else { outOfMemory(byteCount) }
    let front = (hugePage - Int(bitPattern: start) % hugePage) % hugePage
    let pointer = start + front
    let used = (byteCount + pageSize - 1) / pageSize * pageSize
    if front > 0 { munmap(start, front) }
    if size - front > used { munmap(pointer + used, size - front - used) }
    madvise(pointer, used, 14)  // MADV_HUGEPAGE
    return pointer
  }

  private static let pageSize = Int(sysconf(Int32(_SC_PAGESIZE)))

  private static func outOfMemory(_ byteCount: Int) -> Never {
    preconditionFailure("out of memory: \(byteCount) bytes asked for")
  }
}
