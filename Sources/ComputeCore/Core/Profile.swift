import Glibc
import Synchronization

/// Times the operations of a process that the environment variable `IMGEN_PROFILE` asks it of.
///
/// An operation that another one calls counts as a part of that one, so the times of all
/// operations add up to the time spent in operations.
package final class Profile: Sendable {
  /// The profile of this process; `nil` unless `IMGEN_PROFILE` is set to something but `0`.
  package static let shared: Profile? = {
    guard let value = getenv("IMGEN_PROFILE"), value.pointee != 0, strcmp(value, "0") != 0 else {
      return nil
    }
    return Profile()
  }()

  /// Which way an operation was run.
  package enum Direction: String, Sendable {
    /// Computing a result.
    case forward
    /// Computing gradients.
    case backward
  }

  /// What is told apart.
  package struct Kind: Hashable, Sendable {
    /// The function that computes it, such as `conv2d` or `+`.
    package let name: String
    /// Which way it was run.
    package let direction: Direction
  }

  /// All calls of one kind.
  package struct Total: Sendable {
    /// Number of calls.
    package var calls = 0
    /// Time in all of them.
    package var nanoseconds: UInt64 = 0
  }

  /// One call.
  package struct Event: Sendable {
    /// What was run.
    package let kind: Kind
    /// The thread that called it, counted from 0.
    package let thread: Int
    /// Since the profile began.
    package let startNanoseconds: UInt64
    /// How long it took.
    package let nanoseconds: UInt64
  }

  /// Calls that are kept one by one; later ones only count towards the totals.
  package static let eventLimit = 200_000

  private struct State {
    var totals: [Kind: Total] = [:]
    var events: [Event] = []
    /// The operation that each thread is in.
    var open: [UInt: String] = [:]
    var threads: [UInt: Int] = [:]
  }

  private let state = Mutex(State())
  private let start = Profile.now()

  /// An empty profile that begins now.
  package init() {}

  /// Time since the profile began.
  package var elapsedNanoseconds: UInt64 { Profile.now() - start }

  /// All kinds that were run so far.
  package var totals: [Kind: Total] { state.withLock { $0.totals } }

  /// The first `eventLimit` calls.
  package var events: [Event] { state.withLock { $0.events } }

  /// Begins a call of the operation `name`, unless the calling thread is in another one.
  package func begin(_ name: String, _ direction: Direction) -> ProfileSpan? {
    let thread = Profile.currentThread
    let isOutermost = state.withLock { state in
      guard state.open[thread] == nil else { return false }
      state.open[thread] = name
      return true
    }
    guard isOutermost else { return nil }
    return ProfileSpan(
      profile: self, kind: Kind(name: name, direction: direction), start: Profile.now())
  }

  fileprivate func end(_ span: ProfileSpan) {
    let duration = Profile.now() - span.start
    let thread = Profile.currentThread
    state.withLock { state in
      state.open[thread] = nil
      state.totals[span.kind, default: Total()].calls += 1
      state.totals[span.kind, default: Total()].nanoseconds += duration
      guard state.events.count < Profile.eventLimit else { return }
      let number = state.threads[thread] ?? state.threads.count
      state.threads[thread] = number
      state.events.append(
        Event(
          kind: span.kind, thread: number, startNanoseconds: span.start - start,
          nanoseconds: duration))
    }
  }

  /// What the gradient of a result that `function` records counts as: the operation that the
  /// calling thread is in, or the function itself.
  func nameOfRecording(by function: StaticString) -> String {
    state.withLock { $0.open[Profile.currentThread] } ?? operationName(function)
  }

  private static var currentThread: UInt { UInt(pthread_self()) }

  private static func now() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }
}

/// A call that has begun.
package struct ProfileSpan {
  fileprivate let profile: Profile
  fileprivate let kind: Profile.Kind
  fileprivate let start: UInt64

  /// Ends the call, on the thread that began it.
  package func end() { profile.end(self) }
}

/// Begins a call of the operation that `function` computes; costs one branch when nothing is
/// profiled.
///
///     let span = profiled()
///     defer { span?.end() }
///
/// - Returns: `nil` when nothing is profiled, or when this is a part of another operation.
@inline(__always)
func profiled(_ function: StaticString = #function) -> ProfileSpan? {
  guard let profile = Profile.shared else { return nil }
  return profile.begin(operationName(function), .forward)
}

/// `conv2d(_:weight:bias:)` → `conv2d`.
private func operationName(_ function: StaticString) -> String {
  String(function.description.prefix { $0 != "(" })
}
