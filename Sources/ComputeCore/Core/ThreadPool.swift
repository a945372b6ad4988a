import CKernels
import Glibc
import Synchronization

/// Threads that run the items of one job at a time: they spin briefly after a job, then sleep.
///
/// Items are handed out one by one, so which thread runs an item varies; an item must therefore
/// write only to its own part of the result. A call that finds the pool busy (a nested call, or
/// one from another thread) runs all its items itself.
package final class ThreadPool: @unchecked Sendable {
  /// The pool of this process: one thread per processor, counting the caller.
  package static let shared = ThreadPool(workers: Compute.processorCount - 1)

  private let workers: Int
  private let isBusy = Atomic<Bool>(false)
  private let isOpen = Atomic<Bool>(false)
  private let inside = Atomic<Int>(0)
  private let next = Atomic<Int>(0)
  private let generation = Atomic<Int>(0)
  private let sleepers = Atomic<Int>(0)
  /// Written by the caller before the job opens and cleared after the last worker has left.
  private var job: ((Int) -> Void)?
  private var itemCount = 0
  private var admitted = 0
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let wake = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

  /// Starts `workers` threads, which stay until the process ends.
  package init(workers: Int) {
    self.workers = workers
    pthread_mutex_init(mutex, nil)
    pthread_cond_init(wake, nil)
    for index in 0..<workers {
      let start = Unmanaged.passRetained(Start(pool: self, index: index)).toOpaque()
      var thread = pthread_t()
      let code = pthread_create(
        &thread, nil,
        { raw in
          guard let raw else { return nil }
          let start = Unmanaged<Start>.fromOpaque(raw).takeRetainedValue()
          start.pool.work(index: start.index)
          return nil
        }, start)
      precondition(code == 0, "a thread could not be started: error \(code)")
      pthread_detach(thread)
    }
  }

  /// Runs `body` for every index in `0..<items`, on at most `threads` threads.
  package func run(items: Int, threads: Int = Compute.current.threads, _ body: (Int) -> Void) {
    let helpers = min(workers, threads - 1, items - 1)
    guard helpers > 0,
      isBusy.compareExchange(expected: false, desired: true, ordering: .sequentiallyConsistent)
        .exchanged
    else {
      for index in 0..<max(0, items) { body(index) }
      return
    }
    withoutActuallyEscaping(body) { escapable in
      job = escapable
      itemCount = items
      admitted = helpers
      next.store(0, ordering: .sequentiallyConsistent)
      isOpen.store(true, ordering: .sequentiallyConsistent)
      generation.add(1, ordering: .sequentiallyConsistent)
      if sleepers.load(ordering: .sequentiallyConsistent) > 0 {
        pthread_mutex_lock(mutex)
        pthread_cond_broadcast(wake)
        pthread_mutex_unlock(mutex)
      }
      drain(escapable)
      isOpen.store(false, ordering: .sequentiallyConsistent)
      waitForWorkers()
      job = nil
    }
    isBusy.store(false, ordering: .sequentiallyConsistent)
  }

  /// Spins, and lets others run when a worker does not come back: it may wait for this processor.
  private func waitForWorkers() {
    var rounds = 0
    while inside.load(ordering: .sequentiallyConsistent) > 0 {
      rounds += 1
      if rounds % 4_096 == 0 { sched_yield() } else { ThreadPool.pause() }
    }
  }

  private func drain(_ body: (Int) -> Void) {
    while true {
      let index = next.add(1, ordering: .relaxed).oldValue
      guard index < itemCount else { return }
      body(index)
    }
  }

  private func work(index: Int) {
    var seen = 0
    while true {
      waitForJob(after: seen)
      seen = generation.load(ordering: .sequentiallyConsistent)
      inside.add(1, ordering: .sequentiallyConsistent)
      if isOpen.load(ordering: .sequentiallyConsistent), index < admitted, let job { drain(job) }
      inside.subtract(1, ordering: .sequentiallyConsistent)
    }
  }

  /// Spins for some tens of microseconds, which bridges the gap between two operations, then sleeps.
  private func waitForJob(after seen: Int) {
    for _ in 0..<2_000 {
      guard generation.load(ordering: .acquiring) == seen else { return }
      ThreadPool.pause()
    }
    pthread_mutex_lock(mutex)
    sleepers.add(1, ordering: .sequentiallyConsistent)
    while generation.load(ordering: .sequentiallyConsistent) == seen {
      pthread_cond_wait(wake, mutex)
    }
    sleepers.subtract(1, ordering: .sequentiallyConsistent)
    pthread_mutex_unlock(mutex)
  }

  private static func pause() {
    ck_pause()
  }

  /// What a new thread needs to know.
  private final class Start {
    let pool: ThreadPool
    let index: Int

    init(pool: ThreadPool, index: Int) {
      self.pool = pool
      self.index = index
    }
  }
}

/// Runs `body` over `0..<count` in chunks of `chunk` elements, in parallel.
///
/// The chunks do not depend on the number of threads, so neither do results that a chunk sums up.
package func parallelChunks(_ count: Int, chunk: Int = 16_384, _ body: (Range<Int>) -> Void) {
  guard count > chunk else {
    if count > 0 { body(0..<count) }
    return
  }
  ThreadPool.shared.run(items: (count + chunk - 1) / chunk) { index in
    body(index * chunk..<min(count, (index + 1) * chunk))
  }
}
