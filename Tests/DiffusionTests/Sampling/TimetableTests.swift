import ComputeCore
import Diffusion
import Testing

@Suite struct TimetableTests {
  @Test func timestepsEqualDiffusers() throws {
    let fixture = try Fixture("timesteps")
    let cases = try fixture.cases()
    #expect(cases.count == 150)
    for (name, parameters) in cases {
      let sampler = try Sampler(#require(parameters.config.sampler), parameters.config)
      let found = try sampler.timetable(steps: parameters.steps).transitions.map(\.level.timestep)
      // Fractions are rounded to 32 bits in both.
      expectClose(found, try fixture.values("\(name).timesteps"), relative: 1e-7, name)
    }
  }

  @Test func sigmasEqualDiffusers() throws {
    let fixture = try Fixture("sigmas")
    let cases = try fixture.cases()
    #expect(cases.count > 50)
    for (name, parameters) in cases {
      let sampler = try Sampler(#require(parameters.config.sampler), parameters.config)
      let timetable = try sampler.timetable(steps: parameters.steps)
      expectTable(timetable, fixture, name)
    }
  }

  @Test(arguments: [SigmaSchedule.sgmUniform, .simple], [1, 5, 7, 20])
  func levelsEqualComfyUI(_ sigmas: SigmaSchedule, _ steps: Int) throws {
    let fixture = try Fixture("comfy_schedules")
    let name = "\(sigmas.comfyUI)_\(steps)"
    for algorithm in SamplerName.Algorithm.allCases where algorithm.hasSigmaSchedules {
      let sampler = try Sampler(SamplerName(algorithm, sigmas), .stableDiffusion)
      let transitions = try sampler.timetable(steps: steps).transitions
      expectClose(
        transitions.map(\.level.timestep), try fixture.values("\(name).timesteps"), relative: 1e-6)
      expectClose(
        transitions.map(\.level.sigmaRatio), try fixture.values("\(name).sigmas"), relative: 1e-6)
      // DEIS ends at the lowest level of training.
      #expect((transitions.last?.next.sigma == 0) == (algorithm != .deis))
    }
  }

  /// With 150 steps the distribution gives some timesteps twice.
  @Test(arguments: [1, 5, 7, 20, 150]) func betaLevelsEqualComfyUI(_ steps: Int) throws {
    let fixture = try Fixture("comfy_schedules")
    let sampler = try Sampler(SamplerName(.euler, .beta), .stableDiffusion, like: .comfyUI)
    let timetable = try sampler.timetable(steps: steps)
    let levels = timetable.transitions.map(\.level)
    expectClose(levels.map(\.timestep), try fixture.values("beta_\(steps).timesteps"))
    expectClose(levels.map(\.sigma), try fixture.values("beta_\(steps).sigmas"), relative: 1e-6)
    let highest = try #require(levels.first).sigma
    #expect(timetable.initNoiseSigma == (highest * highest + 1).squareRoot())
  }

  @Test func numbersOfStepsThatDoNotFitAreRefused() throws {
    for name in SamplerName.all {
      let sampler = try Sampler(name, .stableDiffusion)
      #expect(throws: SamplerError.self) { try sampler.timetable(steps: 0) }
      #expect(throws: SamplerError.self) { try sampler.timetable(steps: 1001) }
      let most = name.algorithm == .lcm || name.algorithm == .tcd ? 50 : 999
      let timetable = try sampler.timetable(steps: most)
      #expect(timetable.steps == most)
      // PNDM's three Runge-Kutta steps count four times.
      #expect(timetable.transitions.count == most + (name.algorithm == .pndm ? 9 : 0))
    }
  }

  @Test(arguments: TimestepSpacing.allCases) func everyNumberOfStepsIsKept(
    _ spacing: TimestepSpacing
  ) throws {
    var config = SchedulerConfig.stableDiffusion
    config.timestepSpacing = spacing
    for algorithm in SamplerName.Algorithm.allCases
    where algorithm.hasSigmaSchedules || algorithm == .ddim || algorithm == .ddpm {
      let sampler = try Sampler(SamplerName(algorithm), config)
      for steps in [1, 2, 3, 7, 61, 103, 500, 999] {
        let transitions = try sampler.timetable(steps: steps).transitions
        #expect(transitions.count == steps)
        #expect(transitions.allSatisfy { (0...999).contains($0.level.timestep) })
        let timesteps = transitions.map(\.level.timestep)
        #expect(zip(timesteps, timesteps.dropFirst()).allSatisfy { $0 > $1 || $0 == 999 })
      }
    }
  }

  @Test func strengthKeepsTheLastSteps() throws {
    let timetable = try Sampler(SamplerName(.ddim), .stableDiffusion).timetable(steps: 20)
    #expect(timetable.suffix(strength: 1) == timetable)
    #expect(timetable.suffix(strength: 0.75).transitions == Array(timetable.transitions.suffix(15)))
    #expect(timetable.suffix(strength: 0).transitions.isEmpty)
    #expect(timetable.suffix(strength: 7).transitions.count == 20)
  }

  /// A picture to start from, made noisy for the first, fifth and last of ten steps.
  @Test(arguments: [
    ("euler_discrete_10steps", SamplerName.Algorithm.euler),
    ("dpm_solver_multistep_10steps", .dpmpp2M),
  ]) func startsFromAPictureAsDiffusers(_ name: String, _ algorithm: SamplerName.Algorithm) throws {
    let fixture = try Fixture("add_noise")
    var config = SchedulerConfig.stableDiffusion
    config.timestepSpacing = .leading
    let timetable = try Sampler(SamplerName(algorithm), config).timetable(steps: 10)
    let size = 2 * 3 * 4
    let (x0, noise) = (try fixture.values("\(name).x"), try fixture.values("\(name).noise"))
    let noisy = try fixture.values("\(name).noisy")
    for (row, strength) in [1, 0.6, 0.1].enumerated() {
      let range = row * size..<(row + 1) * size
      let start = timetable.suffix(strength: strength).start(
        from: Tensor(Array(x0[range]), [1, 2, 3, 4]), Tensor(Array(noise[range]), [1, 2, 3, 4]))
      expectClose(start.values, Array(noisy[range]), absolute: 1e-6, relative: 1e-6)
    }
  }
}

/// Checks timesteps, noise levels with the final one, and the scale of the noise to start from.
///
/// Timesteps between those of training come out of 32-bit logarithms, hence 0.001.
func expectTable(
  _ timetable: Timetable, _ fixture: Fixture, _ name: String,
  sourceLocation: SourceLocation = #_sourceLocation
) {
  do {
    let transitions = timetable.transitions
    expectClose(
      transitions.map(\.level.timestep), try fixture.values("\(name).timesteps"), absolute: 1e-3,
      "\(name).timesteps", sourceLocation: sourceLocation)
    expectClose(
      [timetable.initNoiseSigma], [try fixture.value("\(name).init_noise_sigma")], relative: 1e-6,
      "\(name).init_noise_sigma", sourceLocation: sourceLocation)
    guard fixture.contains("\(name).sigmas") else { return }
    let levels = transitions.map(\.level) + (transitions.last.map { [$0.next] } ?? [])
    // Of flows, and of clean pictures, fixtures give the part of the noise.
    let sigmas = levels.map { $0.alpha + $0.sigma == 1 ? $0.sigma : $0.sigmaRatio }
    expectClose(
      sigmas, try fixture.values("\(name).sigmas"), relative: 1e-6, "\(name).sigmas",
      sourceLocation: sourceLocation)
  } catch {
    Issue.record(error, sourceLocation: sourceLocation)
  }
}
