import ComputeCore
import Diffusion
import Foundation
import Testing

/// Every solver against diffusers' scheduler, step by step, with the outputs of the same network.
@Suite struct TrajectoryTests {
  static let files = [
    "ddpm", "ddim", "euler_discrete", "euler_ancestral", "dpm_solver_multistep", "heun_discrete",
    "lms_discrete", "k_dpm_2", "k_dpm_2_ancestral", "dpm_solver_sde", "dpm_solver_family",
    "uni_pc_multistep", "deis_multistep", "pndm", "lcm", "tcd", "flow_match_euler",
  ]
  static let cases: [(file: String, name: String, parameters: FixtureCase)] = files.flatMap {
    file in
    let cases = (try? Fixture(file).cases()) ?? [:]
    return cases.sorted { $0.key < $1.key }.map { (file, $0.key, $0.value) }
  }

  @Test func noCaseIsLost() {
    #expect(TrajectoryTests.cases.count > 200)
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
    let run = timetable.suffix(strength: parameters.strength)
    let start = try fixture.tensor("\(name).init_sample")
    if parameters.strength < 1 {
      let (x0, noise) = (try fixture.tensor("\(name).x"), try fixture.tensor("\(name).start_noise"))
      expectClose(run.start(from: x0, noise), start, absolute: 1e-6, relative: 1e-6, name)
    }
    let sampling = sampler.sampling(
      run, from: start, noise: noise, model: network.callAsFunction)
    try expectTrajectory(sampling, run, start, network, fixture, name)
    #expect(noise.draws == parameters.noiseSteps.count)
  }
}
