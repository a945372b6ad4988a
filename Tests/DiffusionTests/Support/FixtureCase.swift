import Diffusion

/// What a fixture was made with: the scheduler's config, the number of steps and what they used.
struct FixtureCase: Decodable, Sendable {
  let config: SchedulerConfig
  let steps: Int
  let eta: Float?
  /// The part of the steps that is run; 1 when all are.
  let strength: Double
  /// Steps in which the scheduler drew noise.
  let noiseSteps: [Int]

  enum CodingKeys: String, CodingKey {
    case scheduler, steps, eta, strength, noiseSteps
  }

  init(from decoder: any Decoder) throws {
    let keys = try decoder.container(keyedBy: CodingKeys.self)
    var config = try SchedulerConfig(from: decoder)
    config._className = try keys.decode(String.self, forKey: .scheduler)
    self.config = config
    steps = try keys.decode(Int.self, forKey: .steps)
    eta = try keys.decodeIfPresent(Float.self, forKey: .eta)
    strength = try keys.decodeIfPresent(Double.self, forKey: .strength) ?? 1
    noiseSteps = try keys.decodeIfPresent([Int].self, forKey: .noiseSteps) ?? []
  }
}
