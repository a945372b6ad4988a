import ComputeCore
import Foundation
import Synchronization
import Testing

@Suite struct ThreadPoolTests {
  /// More workers than this machine has processors, so that they come late and are interrupted.
  static let crowded = ThreadPool(workers: 7)

  /// How often each item of a job was run.
  private func counts(
    _ pool: ThreadPool, items: Int, threads: Int = 8, _ body: (Int) -> Void = { _ in }
  ) -> [Int] {
    let counters = UnsafeMutablePointer<Int>.allocate(capacity: items)
    counters.initialize(repeating: 0, count: items)
    defer { counters.deallocate() }
    nonisolated(unsafe) let target = counters
    pool.run(items: items, threads: threads) { index in
      target[index] += 1
      body(index)
    }
    return Array(UnsafeBufferPointer(start: counters, count: items))
  }

  @Test(arguments: [0, 1, 2, 3, 7, 100, 10_000], [1, 2, 3, 100])
  func everyItemIsRunOnce(_ items: Int, _ threads: Int) {
    for pool in [ThreadPool.shared, ThreadPoolTests.crowded] {
      let found = counts(pool, items: items, threads: threads)
      #expect(found.allSatisfy { $0 == 1 })
    }
  }

  @Test func negativeCountsAndThreadsAreHarmless() {
    ThreadPool.shared.run(items: -3) { _ in Issue.record("there is nothing to run") }
    #expect(counts(ThreadPool.shared, items: 5, threads: -1).allSatisfy { $0 == 1 })
  }

  /// Small jobs one after another: a worker that is late for one must not disturb the next.
  @Test(arguments: [false, true])
  func manySmallJobs(_ isCrowded: Bool) {
    let pool = isCrowded ? ThreadPoolTests.crowded : ThreadPool.shared
    let jobs = isCrowded ? 20_000 : 100_000
    let sums = UnsafeMutablePointer<Int>.allocate(capacity: 8)
    defer { sums.deallocate() }
    nonisolated(unsafe) let target = sums
    var wrong = 0
    for job in 0..<jobs {
      let items = 2 + job % 7
      for index in 0..<8 { sums[index] = -1 }
      pool.run(items: items, threads: 8) { target[$0] = job + $0 }
      for index in 0..<8 where sums[index] != (index < items ? job + index : -1) { wrong += 1 }
    }
    #expect(wrong == 0)
  }

  @Test func nestedJobsRunInTheirItem() {
    let total = Atomic<Int>(0)
    ThreadPoolTests.crowded.run(items: 50, threads: 8) { _ in
      ThreadPoolTests.crowded.run(items: 40, threads: 8) { _ in
        ThreadPool.shared.run(items: 3) { _ in total.add(1, ordering: .relaxed) }
      }
    }
    #expect(total.load(ordering: .relaxed) == 6_000)
  }

  @Test func manyCallersShareThePool() async {
    let wrong = await withTaskGroup(of: Int.self) { group in
      for caller in 0..<8 {
        group.addTask {
          (0..<500).reduce(0) { sum, round in
            let found = counts(ThreadPoolTests.crowded, items: (caller + round) % 40)
            return sum + found.count { $0 != 1 }
          }
        }
      }
      return await group.reduce(0, +)
    }
    #expect(wrong == 0)
  }

  @Test func workersWakeUpAfterAPause() {
    for _ in 0..<20 {
      Thread.sleep(forTimeInterval: 0.002)  // workers spin for less
      #expect(counts(ThreadPoolTests.crowded, items: 64).allSatisfy { $0 == 1 })
    }
  }

  @Test func chunksCoverTheRange() {
    for (count, chunk) in [(0, 4), (1, 4), (4, 4), (5, 4), (1_000, 7)] {
      let seen = Mutex<[Int]>([])
      parallelChunks(count, chunk: chunk) { range in
        #expect(range.lowerBound % chunk == 0 && range.count <= chunk && !range.isEmpty)
        seen.withLock { $0 += Array(range) }
      }
      #expect(seen.withLock { $0.sorted() } == Array(0..<count))
    }
  }
}
