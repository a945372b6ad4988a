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
  /// Tells the timesteps of noise levels, and back.
  private static let schedule = {
    var betas = [Float](repeating: 0.01, count: 700)
    betas[0] = 0.005
    return NoiseSchedule(betas: betas)
  }()

  private static var exploding: [(any Solver, Double, [Int])] {
    [
      (Euler(), 1, [32, 64, 128]), (Heun(), 2, [32, 64, 128]), (DPM2(), 2, [32, 64, 128]),
      (LMS(order: 2), 2, [32, 64, 128]),
    ]
  }
  private static var preserving: [(any Solver, Double, [Int])] {
    [
      (DDIM(), 1, [32, 64, 128]),
      (multistep(order: 2, .midpoint), 2, [32, 64, 128]),
      (multistep(order: 2, .heun), 2, [32, 64, 128]),
      (DEIS(order: 2, lowerOrderFinal: false), 2, [32, 64, 128]),
      // The corrector adds an order.
      (uniPC(order: 1, .bh2), 2, [32, 64, 128]), (uniPC(order: 2, .bh1), 3, [16, 32]),
      (uniPC(order: 2, .bh2), 3, [16, 32]),
    ]
  }

  @Test(arguments: PredictionType.allCases, exploding.indices)
  func explodingSolversHaveTheirOrder(_ prediction: PredictionType, _ index: Int) {
    let (solver, order, steps) = ConvergenceTests.exploding[index]
    expectOrder(order, steps.map { error(solver, $0, prediction, NoiseLevel.exploding) })
  }

  @Test(arguments: PredictionType.allCases, preserving.indices)
  func preservingSolversHaveTheirOrder(_ prediction: PredictionType, _ index: Int) {
    let (solver, order, steps) = ConvergenceTests.preserving[index]
    expectOrder(
      order,
      steps.map { error(solver, $0, prediction, NoiseLevel.preserving(sigmaRatio:timestep:)) })
  }

  /// Their first steps are of lower order, which limits the order of the whole run.
  @Test func thirdOrderIsMoreExactThanSecond() {
    let preserving = NoiseLevel.preserving(sigmaRatio:timestep:)
    func gain(_ make: (Int) -> any Solver, _ level: (Float, Float) -> NoiseLevel) -> Double {
      error(make(2), 64, .epsilon, level) / error(make(3), 64, .epsilon, level)
    }
    #expect(gain({ LMS(order: $0) }, NoiseLevel.exploding) > 2)
    #expect(gain({ DEIS(order: $0, lowerOrderFinal: false) }, preserving) > 2)
    #expect(gain({ ConvergenceTests.multistep(order: $0, .heun) }, preserving) > 2)
  }

  private static func multistep(
    order: Int, _ variant: DPMMultistep.Variant
  ) -> DPMMultistep {
    var options = DPMMultistep.Options()
    (options.order, options.variant, options.lowerOrderFinal) = (order, variant, false)
    return DPMMultistep(options)
  }

  private static func uniPC(order: Int, _ variant: UniPC.Variant) -> UniPC {
    var options = UniPC.Options()
    (options.order, options.variant, options.lowerOrderFinal) = (order, variant, false)
    return UniPC(options)
  }

  /// Stochastic solvers end in the data's distribution: the moments of 20,000 numbers.
  @Test(arguments: [
    SamplerName.Algorithm.ddpm, .eulerAncestral, .dpm2Ancestral, .dpmpp2MSDE, .dpmpp2SAncestral,
    .dpmppSDE,
  ])
  func stochasticSolversMakeTheData(_ algorithm: SamplerName.Algorithm) throws {
    var config = SchedulerConfig.stableDiffusion
    config.timestepSpacing = .trailing
    let sampler = try Sampler(SamplerName(algorithm), config)
    let isFirstOrder = algorithm == .ddpm || algorithm == .eulerAncestral
    let timetable = try sampler.timetable(steps: isFirstOrder ? 1000 : 200)
    var noise = sampler.noise(seeds: [3], timetable)
    let start = timetable.start(noise.noise([1, 100, 200, 1]))
    let sampling = sampler.sampling(timetable, from: start, noise: noise) { input, timestep in
      let sigma = sampler.schedule.sigmaLogLinear(at: Double(timestep))
      return exactOutput(.epsilon, input, sigma)
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
      return level(Float(sigma), Float(ConvergenceTests.schedule.timestep(of: sigma)))
    }
    let timetable = Timetable(
      Array(levels.dropLast()), endingAt: levels[steps], initNoiseSigma: 1,
      schedule: ConvergenceTests.schedule)
    let (start, schedule) = (solution(levels[0]), ConvergenceTests.schedule)
    let sampling = Sampling(
      solver, timetable, from: start, prediction: prediction, noise: NoNoise()
    ) { input, timestep in
      exactOutput(prediction, input, schedule.sigmaLogLinear(at: Double(timestep)))
    }
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
    _ prediction: PredictionType, _ input: Tensor, _ ratio: Double
  ) -> Tensor {
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
      case .flow: Float(noise - denoised)
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
