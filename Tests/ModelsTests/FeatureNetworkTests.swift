import Checkpoints
import ComputeCore
import Layers
import Models
import TestSupport
import Testing

/// Fills a network as `draw` of scripts/fixtures/feature_networks.py does.
private func draw(_ network: some Module, seed: UInt64) {
  var generator = TorchGenerator(seed: seed)
  for (key, parameter) in network.namedParameters() {
    let shape = parameter.checkpointShape
    let numbers = Tensor.randn(shape, using: &generator)
    let value =
      if shape.count > 1 {
        numbers * (2 / Float(shape.dropFirst().reduce(1, *))).squareRoot()
      } else if key.hasSuffix("running_var") {
        abs(numbers) * 0.2 + 1
      } else if key.hasSuffix(".weight") {
        numbers * 0.1 + 1
      } else {
        numbers * 0.1
      }
    parameter.value = parameter.fromCheckpoint(value)
  }
  network.freeze()
}

@Suite struct FeatureNetworkTests {
  private func item(_ name: String) throws -> (item: Fixture.Case, x: Tensor) {
    let item = try #require(try Fixture("feature_networks").cases.first { $0.name == name })
    var generator = TorchGenerator(seed: UInt64(item.int("x_seed")))
    let x = Tensor.randn(try item.parameter("x_shape", as: [Int].self), using: &generator)
    return (item, x.clamped(to: -1...1).transposed([0, 2, 3, 1]))
  }

  @Test func efficientNetLite0MatchesItsPackage() throws {
    let (item, x) = try item("efficientnet_lite0")
    let network = EfficientNetLite0()
    draw(network, seed: UInt64(item.int("seed")))
    expectClose(network(x), try item.tensor("y"), tolerance: 2e-5)
  }

  @Test func inceptionV3MatchesPytorchFid() throws {
    let (item, x) = try item("inception_v3")
    let network = InceptionV3()
    draw(network, seed: UInt64(item.int("seed")))
    expectClose(network(x), try item.tensor("y"), tolerance: 2e-5)
  }

  @Test(arguments: [
    ("Mixed_6b.branch7x7_1.conv.weight", "Mixed_6b.branch7x7.0.conv.weight"),
    ("Mixed_6e.branch7x7dbl_5.bn.bias", "Mixed_6e.branch7x7dbl.4.bn.bias"),
    ("Mixed_7a.branch7x7x3_4.bn.weight", "Mixed_7a.branch7x7x3.3.bn.weight"),
    ("Mixed_6a.branch3x3dbl_1.conv.weight", "Mixed_6a.branch3x3dbl_1.conv.weight"),
    ("Mixed_6b.branch_pool.conv.weight", "Mixed_6b.branch_pool.conv.weight"),
    ("Conv2d_1a_3x3.bn.num_batches_tracked", nil), ("fc.weight", nil),
  ])
  func inceptionKeysAreThoseOfTorchvision(_ key: String, _ own: String?) {
    #expect(InceptionV3.keyMap(key) == own)
    if let own {
      #expect(InceptionV3().namedParameters().contains { $0.key == own }, "no parameter \(own)")
    }
  }

  @Test func efficientNetKeysAreThoseOfItsPackage() {
    let keys = EfficientNetLite0().namedParameters().map(\.key)
    #expect(keys.count == 5 + 15 * 15 + 10 + 5)
    for key in [
      "_conv_stem.weight", "_blocks.0._depthwise_conv.weight", "_blocks.15._bn2.running_var",
      "_blocks.1._expand_conv.weight", "_conv_head.weight", "_bn1.bias",
    ] { #expect(keys.contains(key)) }
    #expect(EfficientNetLite0.keyMap("_fc.weight") == nil)
  }
}
