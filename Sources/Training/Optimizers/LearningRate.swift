import Foundation

/// Linear warm-up, then half a cosine down to nothing.
///
/// Source: transformers `get_cosine_schedule_with_warmup` with half a cycle.
package struct WarmupCosine: Codable, Equatable, Sendable {
  /// Highest learning rate.
  package var peak: Float
  /// Updates until it is reached.
  package var warmup: Int
  /// Updates in all.
  package var total: Int

  package init(peak: Float, warmup: Int, total: Int) {
    (self.peak, self.warmup, self.total) = (peak, warmup, total)
  }

  /// The learning rate of update `index`, counted from 0.
  package func rate(at index: Int) -> Float {
    if index < warmup { return peak * Float(index) / Float(max(1, warmup)) }
    let progress = Double(index - warmup) / Double(max(1, total - warmup))
    return peak * Float(max(0, 0.5 * (1 + cos(.pi * min(1, progress)))))
  }
}
