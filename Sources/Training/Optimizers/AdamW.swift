import ComputeCore
import Layers

/// AdamW over a list of parameters, with a moving average of their values.
///
/// Source: Loshchilov & Hutter 2019, arXiv:1711.05101; moments as `torch.optim.AdamW`. Biases and
/// norms (one axis) are not decayed.
package final class AdamW {
  /// What of the optimizer does not change during a run.
  package struct Config: Codable, Equatable, Sendable {
    /// Decay of the mean of gradients.
    package var beta1: Float = 0.9
    /// Decay of the mean of squared gradients.
    package var beta2: Float = 0.99
    /// Added to the root of the second moment.
    package var eps: Float = 1e-8
    /// Weight decay of parameters with two axes or more.
    package var weightDecay: Float = 0.01
    /// Gradients are scaled down to this norm; `nil`: never.
    package var maxGradientNorm: Float? = 1
    /// Decay that the moving average approaches; `nil`: no average is kept.
    package var emaDecay: Float? = 0.9995

    package init() {}
  }

  /// The parameters with their names.
  package let parameters: [(key: String, parameter: Parameter)]
  /// Settings.
  package let config: Config
  /// Updates made so far.
  package private(set) var updates = 0
  private(set) var firstMoments: [Tensor]
  private(set) var secondMoments: [Tensor]
  /// Moving averages in the order of `parameters`; empty when none are kept.
  package private(set) var averages: [Tensor]

  /// An optimizer that has made no update; averages start at the present values.
  package init(_ parameters: [(key: String, parameter: Parameter)], _ config: Config) {
    self.parameters = parameters
    self.config = config
    firstMoments = parameters.map { Tensor.zeros($0.parameter.shape) }
    secondMoments = parameters.map { Tensor.zeros($0.parameter.shape) }
    averages = config.emaDecay == nil ? [] : parameters.map { copied($0.parameter.value) }
  }

  /// Updates all parameters that have a gradient.
  ///
  /// - Parameters:
  ///   - gradients: one per parameter, `nil` where the loss does not depend on it.
  ///   - learningRate: size of the update.
  ///   - scale: multiplies the gradients before they are clipped (1 / number of accumulated ones).
  /// - Returns: the norm of all gradients together, before clipping.
  package func update(_ gradients: [Tensor?], learningRate: Float, scale: Float = 1) -> Float {
    updates += 1
    let norm = globalNorm(gradients.compactMap(\.self)) * scale
    var step = AdamWStep(learningRate: learningRate, index: updates)
    (step.beta1, step.beta2, step.eps) = (config.beta1, config.beta2, config.eps)
    step.gradientScale = scale * clippingScale(norm: norm, maxNorm: config.maxGradientNorm)
    step.emaDecay = config.emaDecay.map { averageDecay($0, updates: updates) } ?? 0
    for (index, entry) in parameters.enumerated() {
      guard let gradient = gradients[index] else { continue }
      step.weightDecay = entry.parameter.shape.count > 1 ? config.weightDecay : 0
      entry.parameter.value = adamW(
        entry.parameter.value, gradient: gradient, firstMoment: firstMoments[index],
        secondMoment: secondMoments[index], average: averages.isEmpty ? nil : averages[index],
        step)
    }
    return norm
  }

  /// Runs `body` with the averages in place of the parameters, then puts these back.
  package func withAverages<R>(_ body: () throws -> R) rethrows -> R {
    guard !averages.isEmpty else { return try body() }
    let current = parameters.map { $0.parameter.value.detached() }
    for (entry, average) in zip(parameters, averages) { entry.parameter.value = copied(average) }
    defer { for (entry, value) in zip(parameters, current) { entry.parameter.value = value } }
    return try body()
  }

  /// All that changes, in memory of its own.
  package struct Snapshot {
    let updates: Int
    let values: [Tensor]
    let firstMoments: [Tensor]
    let secondMoments: [Tensor]
    let averages: [Tensor]
  }

  /// The present state, to come back to with `restore(_:)`.
  package func snapshot() -> Snapshot {
    Snapshot(
      updates: updates, values: parameters.map { copied($0.parameter.value) },
      firstMoments: firstMoments.map(copied), secondMoments: secondMoments.map(copied),
      averages: averages.map(copied))
  }

  /// Goes back to a state, which can be used again.
  package func restore(_ snapshot: Snapshot) {
    restore(
      updates: snapshot.updates, values: snapshot.values.map(copied),
      firstMoments: snapshot.firstMoments.map(copied),
      secondMoments: snapshot.secondMoments.map(copied), averages: snapshot.averages.map(copied))
  }

  /// Continues from a stored state; everything is in the order of `parameters`.
  package func restore(
    updates: Int, values: [Tensor], firstMoments: [Tensor], secondMoments: [Tensor],
    averages: [Tensor]
  ) {
    self.updates = updates
    for (entry, value) in zip(parameters, values) { entry.parameter.value = value }
    (self.firstMoments, self.secondMoments) = (firstMoments, secondMoments)
    self.averages = averages
  }
}

/// Memory of its own for what the optimizer changes in place.
private func copied(_ x: Tensor) -> Tensor {
  Tensor(x.values, x.shape)
}

/// What brings gradients of norm `norm` to at most `maxNorm`, as `torch.nn.utils.clip_grad_norm_`.
package func clippingScale(norm: Float, maxNorm: Float?) -> Float {
  maxNorm.map { min(1, $0 / (norm + 1e-6)) } ?? 1
}

/// Decay of a moving average after `updates` updates: early on the average follows quickly.
///
/// Source: diffusers `EMAModel` without warm-up: `min(decay, (1 + step) / (10 + step))`.
package func averageDecay(_ decay: Float, updates: Int) -> Float {
  let step = max(0, updates - 1)
  return step == 0 ? 0 : min(decay, Float(1 + step) / Float(10 + step))
}
