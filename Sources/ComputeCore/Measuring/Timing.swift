/// Seconds that repeated runs of the same work took.
package struct Timing: Sendable {
  /// How long to go on.
  package enum Repeats: Sendable {
    /// This many runs.
    case count(Int)
    /// As many runs as fit into this many seconds, but not fewer than `atLeast` nor over a thousand.
    case seconds(Double, atLeast: Int = 5)
  }

  /// Seconds of each run that counts, in their order.
  package let seconds: [Double]

  /// The seconds of runs that were timed elsewhere, at least one.
  package init(seconds: [Double]) {
    precondition(!seconds.isEmpty, "Timing: no runs")
    self.seconds = seconds
  }

  /// Runs `body` once to warm up, then times further runs.
  package init(_ repeats: Repeats, _ body: () -> Void) {
    body()
    var seconds: [Double] = []
    var total = 0.0
    while Timing.goesOn(repeats, done: seconds.count, total) {
      let one = elapsedSeconds(body)
      seconds.append(one)
      total += one
    }
    self.init(seconds: seconds)
  }

  private static func goesOn(_ repeats: Repeats, done: Int, _ total: Double) -> Bool {
    switch repeats {
    case .count(let count): done < max(1, count)
    case .seconds(let limit, let least): done < least || (total < limit && done < 1000)
    }
  }

  /// The median; the mean of the middle two of an even number of runs.
  package var median: Double {
    let sorted = seconds.sorted()
    let middle = sorted.count / 2
    return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
  }

  /// The shortest.
  package var best: Double { seconds.min() ?? .nan }
}

/// Seconds that `body` takes.
package func elapsedSeconds(_ body: () -> Void) -> Double {
  let clock = ContinuousClock()
  return clock.measure(body) / .seconds(1)
}
