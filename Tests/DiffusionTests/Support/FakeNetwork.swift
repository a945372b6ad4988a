import ComputeCore
import Diffusion
import Foundation
import Testing

/// Checks the sample after each step of a run; a fixture has one for each evaluation of the model.
func expectTrajectory(
  _ sampling: Sampling, _ timetable: Timetable, _ start: Tensor, _ network: FakeNetwork,
  _ fixture: Fixture, _ name: String
) throws {
  let expected = try rows(fixture, "\(name).samples")
  var largest = start.values.map(abs).max() ?? 0
  var indices: [Int] = []
  for step in sampling {
    let sample = expected[network.evaluations - 1]
    indices.append(step.index)
    // Rounding is relative to the largest number a sample has passed through: with sigmas of
    // 4096 or alphas of 2⁻¹² what is left of it is large beside a sample of size 1.
    expectClose(
      step.sample, sample, absolute: 1e-6 + 1e-6 * largest, relative: 1e-5,
      "\(name), step \(step.index)")
    largest = max(largest, sample.values.map(abs).max() ?? 0)
  }
  #expect(indices == timetable.transitions.map(\.index))
  #expect(network.evaluations == expected.count)
}

/// The stand-in network of the fixtures, which checks its input and gives the stored output.
final class FakeNetwork {
  private let outputs: [Tensor]
  private let name: String
  private let tolerance: Float
  /// Evaluations so far.
  private(set) var evaluations = 0
  private let (a, b): (Float, Float)

  init(_ fixture: Fixture, _ name: String, tolerance: Float = 1e-5) throws {
    let factors: [String: Float] = try fixture.metadata("model")
    (a, b) = (try #require(factors["a"]), try #require(factors["b"]))
    self.name = name
    // A sample that has come down from 4096 has the rounding of 4096: 0.00024.
    self.tolerance = name.hasPrefix("zero_snr") ? 1e-4 : tolerance
    outputs = try rows(fixture, "\(name).model_outputs")
  }

  func callAsFunction(_ input: Tensor, _ timestep: Float) -> Tensor {
    defer { evaluations += 1 }
    let found = input.values.map { tanh(a * $0 + b * timestep / 1000) }
    let output = outputs[evaluations]
    expectClose(found, output.values, absolute: tolerance, "\(name), output \(evaluations)")
    return output
  }
}

/// The noise of the fixtures, which counts how often it is asked for.
final class StoredNoise: NoiseSource {
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
func rows(_ fixture: Fixture, _ key: String) throws -> [Tensor] {
  let tensor = try fixture.tensor(key)
  let (count, shape) = (tensor.shape[0], [1] + tensor.shape.dropFirst())
  let size = tensor.count / count
  let values = tensor.values
  return (0..<count).map { Tensor(Array(values[$0 * size..<($0 + 1) * size]), shape) }
}
