import CKernels
import Glibc

/// Settings of one AdamW update.
public struct AdamWStep: Sendable {
  /// Size of the update.
  public var learningRate: Float
  /// Decay of the mean of gradients.
  public var beta1: Float = 0.9
  /// Decay of the mean of squared gradients.
  public var beta2: Float = 0.999
  /// Added to the root of the second moment.
  public var eps: Float = 1e-8
  /// Share of the parameter that `learningRate · weightDecay` takes away.
  public var weightDecay: Float = 0.01
  /// Number of this update, counted from 1, for the bias corrections.
  public var index: Int
  /// Multiplies the gradient, for clipping and accumulation.
  public var gradientScale: Float = 1
  /// Decay of the moving average of the parameters.
  public var emaDecay: Float = 0

  /// Defaults of torch for what is not given.
  public init(learningRate: Float, index: Int) {
    self.learningRate = learningRate
    self.index = index
  }
}

/// One AdamW update of one parameter and of its moving average, in one pass over memory.
///
/// Source: Loshchilov & Hutter 2019, arXiv:1711.05101 algorithm 2; numerically as
/// `torch.optim.AdamW`.
///
/// - Parameters:
///   - x: the parameter, any shape.
///   - gradient: its gradient.
///   - firstMoment: mean of gradients; updated in place, so nobody else may hold it.
///   - secondMoment: mean of squared gradients; updated in place.
///   - average: moving average of the parameter; updated in place.
///   - step: settings.
/// - Returns: the new parameter.
package func adamW(
  _ x: Tensor, gradient: Tensor, firstMoment: Tensor, secondMoment: Tensor, average: Tensor?,
  _ step: AdamWStep
) -> Tensor {
  let span = profiled()
  defer { span?.end() }
  for (name, tensor) in [
    ("gradient", gradient), ("first moment", firstMoment), ("second moment", secondMoment),
    ("average", average ?? x),
  ] {
    precondition(x.shape == tensor.shape, "adamW: \(name) \(tensor.shape) for \(x.shape)")
  }
  precondition(step.index >= 1, "adamW: updates are counted from 1, got \(step.index)")
  let y = Tensor(uninitialized: x.shape)
  let settings = ck_adamw_t(
    learning_rate: step.learningRate, beta1: step.beta1, beta2: step.beta2, eps: step.eps,
    weight_decay: step.weightDecay,
    correction1: Float(1 - pow(Double(step.beta1), Double(step.index))),
    correction2: Float(1 - pow(Double(step.beta2), Double(step.index))),
    gradient_scale: step.gradientScale, ema_decay: step.emaDecay)
  let (py, px, pg) = (y.pointer, x.pointer, gradient.pointer)
  let (m, v, ema) = (firstMoment.pointer, secondMoment.pointer, average?.pointer)
  parallelChunks(x.count, chunk: 32_768) { range in
    var settings = settings
    let i = range.lowerBound
    ck_adamw_f32(py + i, m + i, v + i, ema.map { $0 + i }, px + i, pg + i, range.count, &settings)
  }
  withExtendedLifetime((x, gradient, firstMoment, secondMoment, average)) {}
  return y
}

/// The Euclidean norm of all numbers of `tensors` together; 0 for none.
package func globalNorm(_ tensors: [Tensor]) -> Float {
  let span = profiled()
  defer { span?.end() }
  let sums = tensors.map { tensor in
    let x = tensor.pointer
    let chunk = 65_536
    var partial = [Double](repeating: 0, count: (tensor.count + chunk - 1) / chunk)
    partial.withUnsafeMutableBufferPointer { buffer in
      guard let base = buffer.baseAddress else { return }
      nonisolated(unsafe) let target = base
      parallelChunks(tensor.count, chunk: chunk) { range in
        target[range.lowerBound / chunk] = ck_sum_squares_f32(x + range.lowerBound, range.count)
      }
    }
    return withExtendedLifetime(tensor) { partial.reduce(0, +) }
  }
  return Float(sums.reduce(0, +).squareRoot())
}
