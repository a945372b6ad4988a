import Dispatch
import Foundation

/// Transforms elements on all cores, a few at a time, so that few results are in the making.
///
/// - Parameters:
///   - elements: are taken in order.
///   - progress: is called on the caller's thread with the numbers of done and of all elements.
///   - transform: runs on several threads at once.
/// - Returns: the results in the order of the elements.
func parallelMap<Element: Sendable, Result: Sendable>(
  _ elements: [Element], progress: (_ done: Int, _ total: Int) -> Void = { _, _ in },
  _ transform: @Sendable (Element) -> Result
) -> [Result] {
  let batch = 2 * min(8, max(1, ProcessInfo.processInfo.activeProcessorCount))
  var results: [Result] = []
  results.reserveCapacity(elements.count)
  progress(0, elements.count)
  for start in stride(from: 0, to: elements.count, by: batch) {
    let count = min(batch, elements.count - start)
    results += [Result](unsafeUninitializedCapacity: count) { buffer, initialized in
      nonisolated(unsafe) let places = buffer  // every iteration writes its own place
      DispatchQueue.concurrentPerform(iterations: count) { i in
        places.initializeElement(at: i, to: transform(elements[start + i]))
      }
      initialized = count
    }
    progress(results.count, elements.count)
  }
  return results
}
