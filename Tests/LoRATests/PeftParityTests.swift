import Checkpoints
import ComputeCore
import Layers
import LoRA
import TestSupport
import Testing

/// Outputs and gradients of peft and diffusers, which read the same files.
@Suite struct PeftParityTests {
  static let files = [
    ("attention", "kohya"), ("attention", "peft"), ("attention", "diffusers"),
    ("attention", "peft_native"), ("with_conv", "kohya"), ("with_conv", "peft"),
    ("with_conv", "diffusers"),
  ]

  @Test(arguments: files)
  func outputMatches(_ folder: String, _ dialect: String) throws {
    let unet = try TinyUNet(folder)
    let file = try LoRAFile(fixturePath("\(folder)/\(dialect).safetensors"))
    let attached = try file.attach(to: [.unet: unet.model])
    #expect(attached.skippedKeys.isEmpty)
    for (strength, key) in [(Float(1), "y_scale1"), (0.5, "y_scale05"), (0, "y_scale0")] {
      attached.strength = strength
      expectClose(try unet.output(), try unet.io.tensor(key), tolerance: 2e-5, key)
    }
    attached.detach()
    expectClose(try unet.output(), try unet.io.tensor("y_base"), tolerance: 2e-5, "detached")
  }

  @Test(arguments: ["attention", "with_conv"])
  func gradientsMatch(_ folder: String) throws {
    let unet = try TinyUNet(folder)
    unet.model.freeze()
    let file = try LoRAFile(fixturePath("\(folder)/kohya.safetensors"))
    let network = try #require(try file.attach(to: [.unet: unet.model]).networks.first)
    let variables = network.namedParameters.map { ($0.key, $0.parameter, $0.parameter.value) }
    let found = gradients(of: try unet.output(), seed: try unet.io.tensor("dy"))
    #expect(variables.count == unet.io.keys.count { $0.hasPrefix("grad.") })
    for (key, parameter, variable) in variables {
      let gradient = try #require(found[variable], "\(key)")
      let expected = try unet.io.tensor("grad." + key)
      let arranged =
        parameter.layout == .convolution ? expected.transposed([0, 2, 3, 1]) : expected
      expectClose(gradient, arranged.reshaped(gradient.shape), tolerance: 2e-4, key)
    }
    for (key, parameter) in unet.model.namedParameters() {
      #expect(found[parameter.value] == nil, "gradient by frozen \(key)")
    }
    #expect(unet.model.trainableParameters().count == variables.count)
  }

  @Test(arguments: ["attention", "with_conv"])
  func mergedModelGivesTheSameOutput(_ folder: String) throws {
    let unet = try TinyUNet(folder)
    let file = try LoRAFile(fixturePath("\(folder)/kohya.safetensors"))
    let network = try #require(
      try file.attach(to: [.unet: unet.model], strength: 0.5).networks.first)
    try network.merge(into: unet.model)
    expectClose(try unet.output(), try unet.io.tensor("y_scale05"), tolerance: 2e-5)
    #expect(
      unet.model.namedModules().allSatisfy { _, module in
        (module as? any AdaptableLayer)?.adapters.isEmpty ?? true
      })
  }

  @Test func targetsAreThoseOfTheFixtures() throws {
    for (folder, targets) in [("attention", LoRATargets.attention), ("with_conv", .all)] {
      let unet = try TinyUNet(folder)
      var generator = TorchGenerator(seed: 0)
      let network = try LoRANetwork.attach(
        to: unet.model, rank: 4, targets: targets, using: &generator)
      let expected = unet.io.keys.filter { $0.hasPrefix("grad.") }.map { String($0.dropFirst(5)) }
      #expect(network.namedParameters.map(\.key).sorted() == expected.sorted())
    }
  }
}
