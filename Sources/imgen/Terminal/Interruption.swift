import Dispatch
import Foundation
import Synchronization

/// Ctrl-C and SIGTERM as a question a loop asks; a second Ctrl-C ends the program at once.
final class Interruption: @unchecked Sendable {
  private let flag = Atomic<Bool>(false)
  /// Kept alive, and not touched after the initializer.
  private var sources: [any DispatchSourceSignal] = []

  /// Takes over both signals.
  init() {
    let queue = DispatchQueue(label: "imgen.interruption")
    sources = [SIGINT, SIGTERM].map { number in
      signal(number, SIG_IGN)
      return DispatchSource.makeSignalSource(signal: number, queue: queue)
    }
    for source in sources {
      source.setEventHandler { [unowned self] in
        if flag.exchange(true, ordering: .relaxed) { exit(130) }
      }
      source.resume()
    }
  }

  /// Whether the user has asked to stop.
  var isRequested: Bool { flag.load(ordering: .relaxed) }
}
