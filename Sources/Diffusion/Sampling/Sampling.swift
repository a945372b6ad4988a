import ComputeCore

/// A model as sampling sees it: `(input [N, H, W, C], timestep)` → output `[N, H, W, C]`.
///
/// The input is scaled the way the model was trained, whatever the solver.
public typealias Model = (_ input: Tensor, _ timestep: Float) -> Tensor

/// A finished step of a sampling run.
public struct Step {
  /// Number of the step in the whole run, from 0; does not start at 0 when a suffix is run.
  public let index: Int
  /// Steps of the whole run.
  public let count: Int
  /// Where the model was evaluated last.
  public let timestep: Float
  /// Noise per picture before the step; infinite at zero signal-to-noise ratio.
  public let sigma: Float
  /// The sample after the step `[N, H, W, C]`; the result when this is the last step.
  public let sample: Tensor
  private let prediction: Prediction

  init(_ transition: Transition, sample: Tensor, prediction: Prediction) {
    index = transition.index
    count = transition.count
    timestep = prediction.level.timestep
    sigma = transition.level.sigmaRatio
    self.sample = sample
    self.prediction = prediction
  }

  /// The model's estimate of the clean picture in this step `[N, H, W, C]`, for previews.
  public var denoised: Tensor { Compute.withoutRecording { prediction.denoised } }
}

/// A sampling run: the sequence of its steps, each computed when it is asked for.
///
/// The only sampling loop there is; progress, previews and cancelling are an ordinary `for` loop:
///
///     for step in sampling { result = step.sample }
///
/// Nothing is recorded for gradients.
public struct Sampling: Sequence, IteratorProtocol {
  private var solver: any Solver
  private var transitions: ArraySlice<Transition>
  private var sample: Tensor
  private var noise: any NoiseSource
  private let predict: (Tensor, NoiseLevel) -> Prediction
  private let adjust: Adjustment?

  /// Changes samples `[N, H, W, C]` between evaluations of the model.
  ///
  /// It is told the level that the sample is at and the one that the step under way goes to, which
  /// differ within a step. Both are in the solver's scaling, and `nil` when the run is over.
  public typealias Adjustment = (
    _ sample: Tensor, _ level: NoiseLevel?, _ target: NoiseLevel?
  ) -> Tensor

  /// A run that has not begun.
  ///
  /// - Parameters:
  ///   - solver: the rule of a step.
  ///   - timetable: the noise levels to go through, in the solver's scaling.
  ///   - sample: what to start from `[N, H, W, C]`, see `Timetable.start`.
  ///   - prediction: what `model` puts out.
  ///   - clipRange: the magnitude that estimates of the clean picture are clipped to, if any.
  ///   - noise: asked once in every step that adds noise.
  ///   - adjust: changes the sample after every step, and before every evaluation within one.
  ///   - model: computes the output; guidance belongs in here.
  public init(
    _ solver: any Solver, _ timetable: Timetable, from sample: Tensor,
    prediction: PredictionType, clipRange: Float? = nil, noise: any NoiseSource,
    adjusting adjust: Adjustment? = nil, model: @escaping Model
  ) {
    self.adjust = adjust
    self.solver = solver
    transitions = timetable.transitions[...]
    self.sample = sample
    self.noise = noise
    predict = { sample, level in
      let scale = level.magnitude
      let output = model(scale == 1 ? sample : sample / scale, level.timestep)
      precondition(
        output.shape == sample.shape,
        "sampling: the model made \(output.shape) out of \(sample.shape)")
      return Prediction(output, prediction, of: sample, at: level, clipRange: clipRange)
    }
  }

  /// Computes the next step, or tells with `nil` that the run is over.
  public mutating func next() -> Step? {
    guard let transition = transitions.popFirst() else { return nil }
    let (predict, adjust, following) = (self.predict, self.adjust, transitions.first?.level)
    return Compute.withoutRecording {
      var last: Prediction?
      sample = solver.step(
        sample, transition,
        predict: { sample, level in
          let isWithin = last != nil
          let adjusted = isWithin ? adjust?(sample, level, transition.next) : nil
          let prediction = predict(adjusted ?? sample, level)
          last = prediction
          return prediction
        },
        noise: &noise)
      if let adjust { sample = adjust(sample, following, following) }
      guard let last else { preconditionFailure("a solver must evaluate the model in each step") }
      return Step(transition, sample: sample, prediction: last)
    }
  }
}
