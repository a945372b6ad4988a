import Dispatch
import Foundation
import Pipelines
import Synchronization

/// A model's hash, which another thread computes while pictures are drawn.
///
/// Unchecked: the group is not marked as what it is, safe to use from several threads.
final class PendingModelHash: @unchecked Sendable {
  private struct State {
    var (done, total) = (0, 1)
    var hash: String?
  }

  private let state = Mutex(State())
  private let group = DispatchGroup()

  /// Begins to compute it.
  init(_ path: String) {
    DispatchQueue.global(qos: .utility).async(group: group) { [self] in
      let hash = try? ModelHash.of(path) { done, total in
        state.withLock { ($0.done, $0.total) = (done, total) }
      }
      state.withLock { $0.hash = hash }
    }
  }

  /// Waits for it; `nil` when the file can no longer be read.
  func value(_ console: ConsoleOptions) -> String? {
    var bar = ProgressBar("Hashing the model", isVisible: console.isTalkative)
    while group.wait(timeout: .now() + .milliseconds(100)) == .timedOut {
      let (done, total) = state.withLock { ($0.done, $0.total) }
      bar.update(done, of: total)
    }
    bar.finish()
    return state.withLock { $0.hash }
  }
}
