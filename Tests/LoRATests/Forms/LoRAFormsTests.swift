import Checkpoints
import ComputeCore
import Layers
import LoRA
import TestSupport
import Testing

/// Every form of adapter against peft and LyCORIS.
@Suite struct LoRAFormsTests {
  @Test func allCasesAreThere() {
    #expect(FormCase.all.count == 22)
    #expect(Set(FormCase.all.map(\.form)) == Set(LoRAForm.allCases.map(\.rawValue)))
  }

  @Test(arguments: FormCase.all)
  func weightsAreThoseOfTheReference(_ item: FormCase) throws {
    let layers = try FormLayers()
    let before = layers.values()
    let attached = try LoRAFile(item.path).attach(to: [.unet: layers], application: .merged)
    #expect(attached.networks.isEmpty && attached.skippedKeys.isEmpty)
    for strength in item.strengths {
      attached.strength = Float(strength)
      let merged = try item.merged(strength)
      #expect(!merged.isEmpty)
      for (key, value) in layers.values() {
        guard let expected = merged[key] else {
          #expect(value.values == before[key]?.values, "\(key) changed")
          continue
        }
        expectClose(value, expected, tolerance: 3e-6, "\(key) at \(strength)")
      }
    }
    attached.strength = 0
    #expect(layers.values().mapValues(\.values) == before.mapValues(\.values))
    attached.strength = 1
    attached.detach()
    #expect(layers.values().mapValues(\.values) == before.mapValues(\.values))
  }

  @Test(arguments: FormCase.all, [LoRAStack.Application.onTheFly, .merged])
  func outputsAreThoseOfTheReference(
    _ item: FormCase, _ application: LoRAStack.Application
  ) throws {
    let layers = try FormLayers()
    let before = try layers.outputs()
    let file = try LoRAFile(item.path)
    let attached = try file.attach(to: [.unet: layers], application: application)
    let expected = try item.outputs()
    let found = try layers.outputs()
    #expect(!expected.isEmpty)
    for (name, y) in found {
      if let wanted = expected[name] {
        expectClose(y, wanted, tolerance: 4e-6, "\(name)")
      } else {
        #expect(y.values == before[name]?.values, "\(name) changed")
      }
    }
    attached.detach()
    for (name, y) in try layers.outputs() { #expect(y.values == before[name]?.values) }
  }

  @Test(arguments: FormCase.all)
  func summaryNamesTheForm(_ item: FormCase) throws {
    let summary = try LoRAFile.inspect(item.path)
    #expect(summary.dialect.rawValue == item.dialect)
    #expect(summary.forms.keys.map(\.rawValue).sorted() == [item.form])
    let isDoRA = item.name.hasPrefix("do") || item.name.hasSuffix("dora")
    #expect((summary.magnitudeCount == summary.forms.values.reduce(0, +)) == isDoRA)
  }

  @Test(arguments: [LoRAStack.Application.onTheFly, .merged])
  func filesAddUpInAnyOrder(_ application: LoRAStack.Application) throws {
    let names = ["locon", "lokr", "norms", "dora_in", "peft_bias"]
    let cases = FormCase.all.filter { names.contains($0.name) }
    #expect(cases.count == names.count)
    var expected = try FormLayers().values()
    let base = expected
    for item in cases {
      for (key, value) in try item.merged(1) {
        guard let sum = expected[key], let own = base[key] else { continue }
        expected[key] = sum + (value.reshaped(own.shape) - own)
      }
    }
    for order in [cases, cases.reversed()] {
      let layers = try FormLayers()
      let stack = LoRAStack([.unet: layers])
      let attached = try order.map {
        try stack.attach(LoRAFile($0.path), application: application)
      }
      if application == .merged {
        for (key, value) in layers.values() {
          guard let wanted = expected[key] else { continue }
          expectClose(value, wanted, tolerance: 5e-6, key)
        }
      }
      let all = try layers.outputs()
      // What is left when two have gone is what the others do alone.
      attached[1].detach()
      attached[0].detach()
      let rest = try FormLayers()
      let other = LoRAStack([.unet: rest])
      for item in order[2...] {
        _ = try other.attach(LoRAFile(item.path), application: application)
      }
      for (name, y) in try layers.outputs() {
        expectClose(y, try #require(try rest.outputs()[name]), tolerance: 1e-6, name)
        if name == "lin" { #expect(all[name]?.values != y.values) }
      }
    }
  }

  /// Tucker's alpha belongs to the rank of `lora_down`, here 2, the adapter has that of `lora_up`.
  @Test func aKernelBetweenTwoRanksKeepsItsScale() throws {
    let folder = try ScratchFolder()
    var generator = TorchGenerator(seed: 5)
    let shapes = [("down", [2, 4, 1, 1]), ("mid", [3, 2, 3, 3]), ("up", [6, 3, 1, 1])]
    var entries = shapes.map { name, shape in
      SafetensorsEntry(
        "lora_unet_conv.lora_\(name).weight", Tensor.randn(shape, using: &generator))
    }
    entries.append(SafetensorsEntry("lora_unet_conv.alpha", Tensor(1)))
    try SafetensorsWriter.write(entries, to: folder("tucker.safetensors"))
    let file = try LoRAFile(folder("tucker.safetensors"))
    let merged = try FormLayers()
    _ = try file.attach(to: [.unet: merged], application: .merged)
    let expected = try #require(try merged.outputs()["conv"])
    _ = try file.convert(
      to: folder("thin.safetensors"), as: .diffusers, names: LoRALayerNames([.unet: merged]))
    for name in ["tucker", "thin"] {
      let layers = try FormLayers()
      _ = try LoRAFile(folder("\(name).safetensors")).attach(to: [.unet: layers])
      expectClose(try #require(try layers.outputs()["conv"]), expected, tolerance: 1e-5, name)
    }
  }

  @Test func aFileThatFailsLeavesAllModelsAsTheyWere() throws {
    let folder = try ScratchFolder()
    let entries = [("unet", Float(1)), ("te", .nan)].flatMap { part, value in
      [
        SafetensorsEntry("lora_\(part)_lin.lora_down.weight", Tensor.ones([1, 12])),
        SafetensorsEntry("lora_\(part)_lin.lora_up.weight", Tensor(repeating: value, [8, 1])),
      ]
    }
    try SafetensorsWriter.write(entries, to: folder("bad.safetensors"))
    let (unet, text) = (try FormLayers(), try FormLayers())
    let before = try unet.outputs().mapValues(\.values)
    #expect(throws: LoRAError.self) {
      try LoRAFile(folder("bad.safetensors")).attach(to: [.unet: unet, .textEncoder: text])
    }
    #expect(try unet.outputs().mapValues(\.values) == before)
  }

  @Test func aParameterWithoutChangesMayChangeOtherwise() throws {
    let layers = try FormLayers()
    let stack = LoRAStack([.unet: layers])
    let file = try LoRAFile(fixturePath("forms/lokr.safetensors"))
    let first = try stack.attach(file)
    first.detach()
    layers.lin.weight.value = Tensor.ones([8, 12])
    first.strength = 0.5
    let second = try stack.attach(file)
    #expect(layers.lin.weight.value.values != Tensor.ones([8, 12]).values)
    second.detach()
    #expect(layers.lin.weight.value.values == Tensor.ones([8, 12]).values)
  }

  @Test func changesOfALargeFrozenLayerAreReadWhenUsed() throws {
    let folder = try ScratchFolder()
    var generator = TorchGenerator(seed: 4)
    let original = Large()
    original.initialize(using: &generator)
    try original.save(to: folder("large.safetensors"))
    let layers = ["lokr_w1": [4, 2], "lokr_w2_a": [32, 3], "lokr_w2_b": [3, 80]]
    let factors = layers.sorted { $0.key < $1.key }.map { name, shape in
      (name, Tensor.randn(shape, using: &generator))
    }
    try SafetensorsWriter.write(
      factors.map { SafetensorsEntry("lora_unet_to_q." + $0.0, $0.1) }, to: folder("l.safetensors"))
    let model = Large()
    model.freeze()
    try model.load(from: SafetensorsFile(folder("large.safetensors")))
    let x = Tensor.randn([3, 160], using: &generator)
    let before = model.toQ(x)
    let attached = try LoRAFile(folder("l.safetensors")).attach(to: [.unet: model], strength: 0.5)
    let second = matmul(factors[1].1, factors[2].1)  // [32, 80]
    var kron: [Float] = []
    for row in 0..<128 {
      for column in 0..<160 {
        let first = factors[0].1.values[row / 32 * 2 + column / 80]
        kron.append(first * second.values[row % 32 * 80 + column % 80])
      }
    }
    let weight = original.toQ.weight.value + Tensor(kron, [128, 160]) * 0.5
    expectClose(model.toQ(x), linear(x, weight: weight), tolerance: 2e-6)
    attached.detach()
    #expect(model.toQ(x).values == before.values)
  }

  private final class Large: Module {
    let toQ = Linear(160, 128, bias: false)
  }
}
