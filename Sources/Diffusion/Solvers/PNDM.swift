import ComputeCore

/// Pseudo numerical methods: Runge-Kutta to begin with, then four-step Adams-Bashforth (PLMS), each
/// with DDIM's step in place of the straight line.
///
/// Variance-preserving samples. Source: Liu et al. 2022, arXiv:2202.09778, Algorithm 2 and eq. 12;
/// equals diffusers' `PNDMScheduler`. As there, one evaluation of the model is one step of the run:
/// Runge-Kutta takes four of them to get on, and PLMS takes its first step twice. A run from the
/// middle leaves out a level after that, or begins with whole Runge-Kutta steps wherever it is, as
/// there.
public struct PNDM: Solver {
  private let stride: Int
  private let rungeKutta: [Int]
  private let final: NoiseLevel?
  private var evaluations = 0
  private var outputs: [Tensor] = []
  private var start: Tensor?
  private var sum: Tensor?

  /// A solver that has no history yet.
  ///
  /// - Parameters:
  ///   - stride: training timesteps from one step to the next.
  ///   - rungeKutta: the timesteps of the Runge-Kutta steps, four for each; none for PLMS alone.
  ///   - final: the level below timestep 0; that of timestep 0 when left out.
  public init(stride: Int, rungeKutta: [Int] = [], final: NoiseLevel? = nil) {
    self.stride = stride
    self.rungeKutta = rungeKutta
    self.final = final
  }

  /// A step with one evaluation of the model; draws no noise.
  public mutating func step(
    _ sample: Tensor, _ transition: Transition,
    predict: (Tensor, NoiseLevel) -> Prediction, noise: inout any NoiseSource
  ) -> Tensor {
    defer { evaluations += 1 }
    let prediction = predict(sample, transition.level)
    return evaluations < rungeKutta.count
      ? rungeKuttaStep(sample, transition, prediction)
      : multistep(sample, transition, prediction)
  }

  /// A quarter of a Runge-Kutta step, from its start to the middle twice and to the end twice.
  private mutating func rungeKuttaStep(
    _ sample: Tensor, _ transition: Transition, _ prediction: Prediction
  ) -> Tensor {
    var output = prediction.output
    switch evaluations % 4 {
    case 0:
      sum = output / 6
      outputs.append(output)
      start = sample
    case 3:
      output = (sum ?? .zeros(output.shape)) + output / 6
    default:
      sum = (sum ?? .zeros(output.shape)) + output / 3
    }
    let level = transition.trained(rungeKutta[evaluations / 4 * 4])
    // Counted from where the run begins, which need not be at the start of a Runge-Kutta step.
    let target = Int(transition.level.timestep) - (evaluations % 2 == 0 ? stride / 2 : 0)
    let next = target < 0 ? final ?? transition.trained(0) : transition.trained(target)
    return prediction.of(start ?? sample, at: level, output).moved(to: next)
  }

  private mutating func multistep(
    _ sample: Tensor, _ transition: Transition, _ prediction: Prediction
  ) -> Tensor {
    if evaluations == 1, let first = outputs.first, let start {
      // The first step once more, with the mean of the outputs at both of its ends.
      let level = transition.trained(Int(transition.level.timestep) + stride)
      let mean = (prediction.output + first) / 2
      return prediction.of(start, at: level, mean).moved(to: transition.level)
    }
    if evaluations == 0 { start = sample }
    outputs = outputs.suffix(3) + [prediction.output]
    let weights = PNDM.weights[outputs.count - 1]
    let mean = zip(weights, outputs.reversed()).map { $1 * $0 }
    let output = mean.dropFirst().reduce(mean[0]) { $0 + $1 }
    return prediction.of(sample, at: transition.level, output).moved(to: transition.next)
  }

  /// Adams-Bashforth weights of the last outputs, that of the newest first.
  private static let weights: [[Float]] = [
    [1], [1.5, -0.5], [23 / 12, -16 / 12, 5 / 12], [55 / 24, -59 / 24, 37 / 24, -9 / 24],
  ]
}

extension Prediction {
  /// The same kind of output for another sample.
  fileprivate func of(_ sample: Tensor, at level: NoiseLevel, _ output: Tensor) -> Prediction {
    Prediction(output, type, of: sample, at: level)
  }
}
