import ComputeCore
import Diffusion
import Foundation
import Testing

/// Every solver in the likeness of AUTOMATIC1111's web UI against k-diffusion's own samplers, step
/// by step, with the outputs of the same network.
@Suite struct KDiffusionTests {
  struct Case: Decodable {
    let sampler: String
    let schedule: String
    let steps: Int
    let noiseSteps: [Int]
  }

  @Test func stepsEqualKDiffusion() throws {
    let fixture = try Fixture("k_diffusion")
    let cases: [String: Case] = try fixture.metadata("cases")
    #expect(cases.count == 22)
    for (name, parameters) in cases {
      let sampler = try Sampler(
        SamplerName(parsing: parameters.sampler, schedule: parameters.schedule), .stableDiffusion,
        like: .a1111)
      let timetable = try sampler.timetable(steps: parameters.steps)
      let sigmas = timetable.transitions.map(\.level.sigmaRatio) + [0]
      expectClose(sigmas, try fixture.values("\(name).sigmas"), relative: 1e-6, name)
      expectClose(
        timetable.transitions.map(\.level.timestep), try fixture.values("\(name).timesteps"),
        absolute: 1e-3, name)
      try expectRun(sampler, timetable, fixture, name, parameters)
    }
  }

  /// Solvers that hold variance-preserving samples are compared after the change of scaling.
  private func expectRun(
    _ sampler: Sampler, _ timetable: Timetable, _ fixture: Fixture, _ name: String,
    _ parameters: Case
  ) throws {
    // Its sums of three large estimates are in 32 bits throughout.
    let network = try FakeNetwork(fixture, name, tolerance: 3e-5)
    let noise = try StoredNoise(fixture, name, parameters.noiseSteps)
    let first = try #require(timetable.transitions.first).level
    let start = try fixture.tensor("\(name).init_sample")
    expectClose(
      [timetable.initNoiseSigma / first.alpha], try fixture.values("\(name).init_noise_sigma"),
      relative: 1e-6, name)
    let expected = try rows(fixture, "\(name).samples")
    var largest = start.values.map(abs).max() ?? 0
    let sampling = sampler.sampling(
      timetable, from: start * first.alpha, noise: noise, model: network.callAsFunction)
    for (step, transition) in zip(sampling, timetable.transitions) {
      expectClose(
        step.sample / transition.next.alpha, expected[step.index],
        absolute: 1e-6 + 1e-6 * largest, relative: 1e-5, "\(name), step \(step.index)")
      largest = max(largest, expected[step.index].values.map(abs).max() ?? 0)
    }
    // Our last steps to a clean picture draw noise that they multiply by 0.
    #expect(noise.draws >= parameters.noiseSteps.count, "\(name)")
  }
}
