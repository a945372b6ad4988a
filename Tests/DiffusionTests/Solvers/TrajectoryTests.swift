import ComputeCore
import Diffusion
import Foundation
import Testing

/// Every solver against diffusers' scheduler, step by step, with the outputs of the same network.
@Suite struct TrajectoryTests {
  static let files = [
    "ddpm", "ddim", "euler_discrete", "euler_ancestral", "dpm_solver_multistep",
  ]
  static let cases: [(file: String, name: String, parameters: FixtureCase)] = files.flatMap {
    file in
    let cases = (try? Fixture(file).cases()) ?? [:]
    return cases.sorted { $0.key < $1.key }.map { (file, $0.key, $0.value) }
  }

  @Test func noCaseIsLost() {
    #expect(TrajectoryTests.cases.count > 90)
    let unnamed = TrajectoryTests.cases.filter { $0.parameters.config.sampler == nil }
    #expect(unnamed.allSatisfy { $0.parameters.config.solverOrder == 1 } && unnamed.count == 3)
  }

  @Test(arguments: cases.filter { $0.parameters.config.sampler != nil })
  func stepsEqualDiffusers(
    _ scenario: (file: String, name: String, parameters: FixtureCase)
  ) throws {
    let (name, parameters) = (scenario.name, scenario.parameters)
    let fixture = try Fixture(scenario.file)
    let sampler = try Sampler(
      #require(parameters.config.sampler), parameters.config, eta: parameters.eta ?? 0)
    let timetable = try sampler.timetable(steps: parameters.steps)
    expectTable(timetable, fixture, name)

    let network = try FakeNetwork(fixture, name)
    let noise = try StoredNoise(fixture, name, parameters.noiseSteps)
    let start = try fixture.tensor("\(name).init_sample")
    let expected = try rows(fixture, "\(name).samples")
    let steps = Array(
      sampler.sampling(timetable, from: start, noise: noise, model: network.callAsFunction))
    #expect(steps.map(\.index) == Array(0..<parameters.steps))
    var largest = start.values.map(abs).max() ?? 0
    for (step, sample) in zip(steps, expected) {
      // Rounding is relative to the largest number a sample has passed through: with sigmas of
      // 4096 or alphas of 2⁻¹² what is left of it is large beside a sample of size 1.
      expectClose(
        step.sample, sample, absolute: 1e-6 + 1e-6 * largest, relative: 1e-5,
        "\(name), step \(step.index)")
      largest = max(largest, sample.values.map(abs).max() ?? 0)
    }
    #expect(noise.draws == parameters.noiseSteps.count)
  }
}

/// The stand-in network of the fixtures, which checks its input and gives the stored output.
private final class FakeNetwork {
  private let outputs: [Tensor]
  private let name: String
  private let tolerance: Float
  private var index = 0
  private let (a, b): (Float, Float)

  init(_ fixture: Fixture, _ name: String) throws {
    let factors: [String: Float] = try fixture.metadata("model")
    (a, b) = (try #require(factors["a"]), try #require(factors["b"]))
    self.name = name
    // A sample that has come down from 4096 has the rounding of 4096: 0.00024.
    tolerance = name.hasPrefix("zero_snr") ? 1e-4 : 1e-5
    outputs = try rows(fixture, "\(name).model_outputs")
  }

  func callAsFunction(_ input: Tensor, _ timestep: Float) -> Tensor {
    defer { index += 1 }
    let found = input.values.map { tanh(a * $0 + b * timestep / 1000) }
    expectClose(found, outputs[index].values, absolute: tolerance, "\(name), output \(index)")
    return outputs[index]
  }
}

/// The noise of the fixtures, which counts how often it is asked for.
private final class StoredNoise: NoiseSource {
  private let numbers: [Tensor]
  private(set) var draws = 0

  init(_ fixture: Fixture, _ name: String, _ steps: [Int]) throws {
    numbers = steps.isEmpty ? [] : try rows(fixture, "\(name).noise")
  }

  func noise(_ shape: Shape) -> Tensor {
    defer { draws += 1 }
    #expect(numbers[draws].shape == shape)
    return numbers[draws]
  }
}

/// The entries of the first axis, each with a first axis of 1.
private func rows(_ fixture: Fixture, _ key: String) throws -> [Tensor] {
  let tensor = try fixture.tensor(key)
  let (count, shape) = (tensor.shape[0], [1] + tensor.shape.dropFirst())
  let size = tensor.count / count
  let values = tensor.values
  return (0..<count).map { Tensor(Array(values[$0 * size..<($0 + 1) * size]), shape) }
}
