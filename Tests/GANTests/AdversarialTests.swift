import Checkpoints
import ComputeCore
import GAN
import Layers
import TestSupport
import Testing

/// Networks, losses, penalties and all gradients against torch in float64 (double backward).
@Suite struct AdversarialTests {
  @Test func everyLossAndPenaltyMatchesTorch() throws {
    let cases = try Fixture("gan").cases
    #expect(cases.map(\.name) == ["hinge", "non_saturating", "relativistic", "wasserstein"])
    for item in cases {
      let (generator, discriminator) = try Self.networks(item)
      let labels = try item.integers("labels")
      let fake = generator(try item.tensor("z"), labels: labels)
      expectClose(fake, try item.tensor("fake"), tolerance: 1e-5, item.name)
      try checkDiscriminator(item, discriminator, fake.detached(), labels)
      try checkGenerator(item, generator, discriminator, fake, labels)
    }
  }

  private func checkDiscriminator(
    _ item: Fixture.Case, _ discriminator: Discriminator, _ fake: Tensor, _ labels: [Int32]
  ) throws {
    let loss = try Self.objective(item).discriminatorLoss(
      discriminator, real: try item.tensor("real"), fake: fake, labels: labels,
      penaltyWeight: try item.float("gamma"), mix: try item.tensor("mix"))
    expectClose(
      Tensor([loss.adversarial], [1]), try item.tensor("adversarial"), tolerance: 1e-5, floor: 1)
    expectClose(loss.total.reshaped([1]), try item.tensor("total"), tolerance: 1e-5, floor: 1)
    try expectGradients(of: loss.total, discriminator, item, "dgrad")
  }

  private func checkGenerator(
    _ item: Fixture.Case, _ generator: Generator, _ discriminator: Discriminator, _ fake: Tensor,
    _ labels: [Int32]
  ) throws {
    discriminator.freeze()
    let onFake = discriminator(fake, labels: labels)
    expectClose(onFake, try item.tensor("logits"), tolerance: 1e-5, item.name)
    let value = try Self.objective(item).generatorLoss(
      discriminator, real: try item.tensor("real"), fake: fake, labels: labels)
    expectClose(value.reshaped([1]), try item.tensor("generator_loss"), tolerance: 1e-5, floor: 1)
    try expectGradients(of: value, generator, item, "ggrad")
  }

  private func expectGradients(
    of loss: Tensor, _ network: some Module, _ item: Fixture.Case, _ prefix: String
  ) throws {
    let found = gradients(of: loss)
    for (key, parameter) in network.namedParameters() where item.has("\(prefix).\(key)") {
      let gradient = found[parameter.value] ?? .zeros(parameter.shape)
      let expected = parameter.fromCheckpoint(try item.tensor("\(prefix).\(key)"))
      expectClose(gradient, expected, tolerance: 3e-5, "\(item.name) \(prefix) \(key)")
    }
  }

  private static func objective(_ item: Fixture.Case) throws -> GANObjective {
    var objective = GANObjective()
    objective.loss = try #require(AdversarialLoss(rawValue: item.parameter("loss")))
    objective.penalty = try #require(GradientPenalty(rawValue: item.parameter("penalty")))
    objective.realClassWeight = try item.float("real_class_weight")
    objective.madeClassWeight = try item.float("made_class_weight")
    return objective
  }

  /// Both networks of a case with its parameters.
  private static func networks(_ item: Fixture.Case) throws -> (Generator, Discriminator) {
    var config = GANConfig()
    config.sampleSize = item.int("sample_size")
    config.patchSize = item.int("patch_size")
    config.channels = item.int("channels")
    config.classNames = (0..<item.int("classes")).map { "class \($0)" }
    config.latentSize = item.int("latent_size")
    config.baseChannels = item.int("base_channels")
    config.maxChannels = item.int("max_channels")
    let (generator, discriminator) = (try Generator(config), try Discriminator(config))
    for (prefix, network) in [("g", generator as any Module), ("d", discriminator)] {
      for (key, parameter) in network.namedParameters() {
        parameter.value = parameter.fromCheckpoint(try item.tensor("\(prefix).\(key)"))
      }
    }
    return (generator, discriminator)
  }
}
