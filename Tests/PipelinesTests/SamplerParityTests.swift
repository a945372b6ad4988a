import Diffusion
import Foundation
import Pipelines
import TestSupport
import Testing

/// Pictures of every sampler that diffusers has, for several kinds of models, against diffusers
/// with the same seed.
///
/// Left out are DPM++ 2S a, which diffusers has not, and flow-match Euler, whose models are other
/// ones. DPM++ SDE has a seed for its noise, without which diffusers draws it from torch's global
/// generator.
@Suite struct SamplerParityTests {
  static let kinds = Set((try? cases().map { try $0.parameter("kind", as: String.self) }) ?? [])
    .sorted()
  private static let tablePath = ProcessInfo.processInfo.environment["IMGEN_PARITY_TABLE"]

  private static func cases() throws -> [Fixture.Case] { try Fixture("samplers").cases }

  @Test func everySamplerOfDiffusersHasCasesOfEveryKind() throws {
    let drawn = try Dictionary(grouping: Self.cases()) { try $0.parameter("kind", as: String.self) }
      .mapValues { try Set($0.map { try SamplerName(parsing: $0.parameter("sampler")).algorithm }) }
    let expected = Set(SamplerName.Algorithm.allCases.filter { $0.diffusers != nil })
    #expect(drawn.count == 10)
    for (kind, found) in drawn where kind != "odd" && kind != "old" {
      #expect(found == expected, "\(kind)")
    }
  }

  @Test(arguments: kinds) func picturesEqualDiffusers(_ kind: String) throws {
    for (item, difference) in try Self.differences(kind) where !difference.isSmall {
      Issue.record("\(item.name): \(difference.worst) grey levels, mean \(difference.mean)")
    }
  }

  /// Writes the differences as Markdown to the file that `IMGEN_PARITY_TABLE` names.
  @Test(.enabled(if: tablePath != nil)) func tableOfDifferences() throws {
    var table = ParityTable()
    for kind in Self.kinds {
      for (item, difference) in try Self.differences(kind) {
        table.add(difference, sampler: try item.parameter("sampler"), kind: kind)
      }
    }
    try table.markdown.write(
      toFile: #require(Self.tablePath), atomically: true, encoding: .utf8)
  }

  private static func differences(
    _ kind: String
  ) throws -> [(item: Fixture.Case, difference: PictureDifference)] {
    let items = try cases().filter { try $0.parameter("kind") == kind }
    let model = try #require(items.first)
    let pipeline = try TextToImagePipeline.fixture(
      model.parameter("model"), strength: model.float("lora_strength"))
    let material = try PaintingMaterial()
    return try items.map { item in
      let model = try pipeline.with(item.scheduler(pipeline.scheduler))
      let request = try item.request(item.parameter("task"), for: model, material)
      let picture = try model.generate(request)[0]
      return (item, try PictureDifference(picture, item.integers("picture")))
    }
  }
}

extension Fixture.Case {
  /// A model's scheduler config with the settings of the case that are not in its sampler's name.
  fileprivate func scheduler(_ config: SchedulerConfig) throws -> SchedulerConfig {
    let settings = try parameter("scheduler", as: [String: Any].self)
    var config = config
    config._className = settings["_class_name"] as? String ?? config._className
    config.stepsOffset = settings["steps_offset"] as? Int ?? config.stepsOffset
    config.clipSample = settings["clip_sample"] as? Bool ?? config.clipSample
    config.skipPrkSteps = settings["skip_prk_steps"] as? Bool ?? false
    config.noiseSamplerSeed = (settings["noise_sampler_seed"] as? Int).map(UInt64.init)
    if settings["final_sigmas_type"] as? String == "sigma_min" {
      config.finalSigmasType = .sigmaMin
    }
    return config
  }
}
