import ComputeCore
import Diffusion
import Foundation
import Testing

/// Solvers against the exact denoiser of Gaussian data, whose ODE has a known solution.
///
/// Data are normal with mean 0.5 and deviation 0.4. Along the probability flow
/// `(x − mean) / √(deviation² + sigma²)` stays what it is (x in the variance-exploding scaling).
@Suite struct ConvergenceTests {
  private let mean = 0.5
  private let deviation = 0.4
  private let highest = 10.0
  private let lowest = 0.1

  @Test(arguments: PredictionType.allCases) func eulerIsOfFirstOrder(
    _ prediction: PredictionType
  ) {
    let errors = [32, 64, 128].map { error(Euler(), $0, prediction, NoiseLevel.exploding) }
    expectOrder(1, errors)
  }

  @Test(arguments: PredictionType.allCases) func ddimIsOfFirstOrder(_ prediction: PredictionType) {
    let errors = [32, 64, 128].map {
      error(DDIM(), $0, prediction, NoiseLevel.preserving(sigmaRatio:timestep:))
    }
    expectOrder(1, errors)
  }

  @Test(arguments: PredictionType.allCases) func dpmpp2MIsOfSecondOrder(
    _ prediction: PredictionType
  ) {
    let solver = DPMPP2M(lowerOrderFinal: false)
    let errors = [32, 64, 128].map {
      error(solver, $0, prediction, NoiseLevel.preserving(sigmaRatio:timestep:))
    }
    expectOrder(2, errors)
  }

  /// Stochastic solvers end in the data's distribution: the moments of 20,000 numbers.
  @Test(arguments: [SamplerName.Algorithm.ddpm, .eulerAncestral])
  func ancestralSamplersMakeTheData(_ algorithm: SamplerName.Algorithm) throws {
    var config = SchedulerConfig.stableDiffusion
    config.timestepSpacing = .trailing
    let sampler = try Sampler(SamplerName(algorithm), config)
    let timetable = try sampler.timetable(steps: 1000)
    var noise = TorchNoise(seed: 3)
    let start = timetable.start(noise.noise([1, 100, 200, 1]))
    let levels = Dictionary(
      uniqueKeysWithValues: timetable.transitions.map { ($0.level.timestep, $0.level) })
    let sampling = sampler.sampling(timetable, from: start, noise: noise) { input, timestep in
      guard let level = levels[timestep] else { return input }
      return exactOutput(.epsilon, input, level)
    }
    let result = try #require(Array(sampling).last).sample.values.map(Double.init)
    let average = result.reduce(0, +) / Double(result.count)
    let variance = result.reduce(0) { $0 + ($1 - average) * ($1 - average) } / Double(result.count)
    // Five standard errors of 20,000 numbers, and 1 % for the steps being finite: the noise that
    // a step adds leaves out what is not known of the picture, which vanishes with the step.
    let standardError = deviation / Double(result.count).squareRoot()
    #expect(abs(average - mean) < 5 * standardError + 0.01 * deviation)
    #expect(
      abs(variance.squareRoot() - deviation) < 5 * standardError / 2.0.squareRoot() + 0.01
        * deviation)
  }

  private func expectOrder(
    _ order: Double, _ errors: [Double], sourceLocation: SourceLocation = #_sourceLocation
  ) {
    for (coarse, fine) in zip(errors, errors.dropFirst()) {
      // Orders are limits; 0.25 is how far they are off at these numbers of steps.
      #expect(abs(log2(coarse / fine) - order) < 0.25, "\(errors)", sourceLocation: sourceLocation)
    }
  }

  /// The error at the end of a run between two noise levels above zero.
  private func error(
    _ solver: any Solver, _ steps: Int, _ prediction: PredictionType,
    _ level: (_ sigma: Float, _ timestep: Float) -> NoiseLevel
  ) -> Double {
    let levels = (0...steps).map { index in
      let sigma = highest * pow(lowest / highest, Double(index) / Double(steps))
      return level(Float(sigma), Float(index))
    }
    let timetable = Timetable(
      Array(levels.dropLast()), endingAt: levels[steps], initNoiseSigma: 1)
    let start = solution(levels[0])
    let sampling = Sampling(
      solver, timetable, from: start, prediction: prediction, noise: NoNoise()
    ) { input, timestep in exactOutput(prediction, input, levels[Int(timestep)]) }
    guard let last = Array(sampling).last else { return .infinity }
    let exact = solution(levels[steps]).values
    return zip(last.sample.values, exact).map { Double(abs($0 - $1)) }.max() ?? .infinity
  }

  /// The exact solution through three points, in the scaling of `level`; `[1, 1, 1, 3]`.
  private func solution(_ level: NoiseLevel) -> Tensor {
    let (alpha, sigma) = (Double(level.alpha), Double(level.sigma))
    let spread = (alpha * alpha * deviation * deviation + sigma * sigma).squareRoot()
    return Tensor([-1.5, 0.3, 2].map { Float(alpha * mean + spread * $0) }, [1, 1, 1, 3])
  }

  /// What a perfect model puts out for an input in the variance-preserving scaling.
  private func exactOutput(
    _ prediction: PredictionType, _ input: Tensor, _ level: NoiseLevel
  ) -> Tensor {
    let ratio = Double(level.sigmaRatio)
    let alpha = 1 / (ratio * ratio + 1).squareRoot()
    let sigma = ratio * alpha
    let gain =
      alpha * deviation * deviation / (alpha * alpha * deviation * deviation + sigma * sigma)
    let outputs = input.values.map { value -> Float in
      let x = Double(value)
      let denoised = mean + gain * (x - alpha * mean)
      let noise = (x - alpha * denoised) / sigma
      return switch prediction {
      case .epsilon: Float(noise)
      case .v: Float(alpha * noise - sigma * denoised)
      case .sample: Float(denoised)
      }
    }
    return Tensor(outputs, input.shape)
  }
}

/// For solvers that add none.
private struct NoNoise: NoiseSource {
  mutating func noise(_ shape: Shape) -> Tensor {
    Issue.record("a deterministic solver drew noise")
    return .zeros(shape)
  }
}
