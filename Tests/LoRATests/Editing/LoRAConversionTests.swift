import Checkpoints
import ComputeCore
import LoRA
import TestSupport
import Testing

@Suite struct LoRAConversionTests {
  private let folder: ScratchFolder

  init() throws { folder = try ScratchFolder() }

  @Test(arguments: ["kohya", "peft", "diffusers"], LoRAWriter.Dialect.allCases)
  func convertedFileDoesTheSame(_ file: String, _ dialect: LoRAWriter.Dialect) throws {
    let unet = try TinyUNet("with_conv")
    let path = folder("new.safetensors")
    let count = try LoRAFile(fixturePath("with_conv/\(file).safetensors")).convert(
      to: path, as: dialect, names: LoRALayerNames([.unet: unet.model]))
    #expect(count == 79)
    let new = try LoRAFile(path)
    #expect(
      new.dialect == [.kohya: .kohya, .diffusers: .diffusers, .peft: .peft][dialect])
    let attached = try new.attach(to: [.unet: unet.model])
    for (strength, key) in [(Float(1), "y_scale1"), (0.5, "y_scale05")] {
      attached.strength = strength
      expectClose(try unet.output(), try unet.io.tensor(key), tolerance: 2e-5, key)
    }
  }

  @Test(arguments: [LoRAWriter.Dialect.diffusers, .peft])
  func thereAndBackKeepsAllBits(_ dialect: LoRAWriter.Dialect) throws {
    let names = LoRALayerNames([.unet: try TinyUNet().model])
    let original = try SafetensorsFile(fixturePath("attention/kohya.safetensors"))
    // In half precision, so that a detour over 32 bits that rounds would show.
    let half = folder("half.safetensors")
    _ = try LoRAFile(original.path).convert(to: half, as: .kohya, names: names, precision: .f16)
    _ = try LoRAFile(half).convert(to: folder("there.safetensors"), as: dialect, names: names)
    _ = try LoRAFile(folder("there.safetensors")).convert(
      to: folder("back.safetensors"), as: .kohya, names: names)
    let (first, last) = (try SafetensorsFile(half), try SafetensorsFile(folder("back.safetensors")))
    #expect(last.keys == original.keys)
    for key in first.keys {
      #expect(last.dtype(of: key) == .f16 && last.shape(of: key) == first.shape(of: key), "\(key)")
      #expect(try last.bytes(key) == first.bytes(key), "\(key)")
    }
    #expect(try LoRAFile.inspect(last.path).isHashValid == true)
    #expect(last.metadata["ss_base_model_version"] == "sd_v1")
  }

  @Test func magnitudesAndKernelsConvert() throws {
    let layers = try FormLayers()
    let names = LoRALayerNames([.unet: layers])
    for name in ["peft_dora", "peft_lora", "peft_rslora", "locon_tucker", "dora_out"] {
      let item = try #require(FormCase.all.first { $0.name == name })
      let isPEFT = item.dialect == "PEFT"
      let path = folder("\(name).safetensors")
      _ = try LoRAFile(item.path).convert(
        to: path, as: isPEFT ? .kohya : .diffusers, names: names)
      let layers = try FormLayers()
      _ = try LoRAFile(path).attach(to: [.unet: layers])
      let found = try layers.outputs()
      for (layer, y) in try item.outputs() {
        expectClose(try #require(found[layer]), y, tolerance: 4e-6, "\(name) \(layer)")
      }
    }
  }

  @Test(arguments: ["loha", "lokr", "full", "norms", "dora_in"])
  func formsThatADialectLacksAreRefused(_ name: String) throws {
    let names = LoRALayerNames([.unet: try FormLayers()])
    let file = try LoRAFile(fixturePath("forms/\(name).safetensors"))
    #expect(throws: LoRAError.self) {
      try file.convert(to: folder("x.safetensors"), as: .diffusers, names: names)
    }
    #expect(try folder.names(in: "").isEmpty)
    // kohya's own names hold them all.
    _ = try file.convert(to: folder("same.safetensors"), as: .kohya, names: names)
    let (old, new) = (file.path, folder("same.safetensors"))
    #expect(
      try SafetensorsFile(old).keys.filter { !$0.hasSuffix("alpha") }
        == SafetensorsFile(new).keys.filter { !$0.hasSuffix("alpha") })
  }

  @Test func modulesThatGetTheSameNameAreRefused() throws {
    let entries = ["unet.a.b", "unet.a_b"].flatMap { module in
      [
        SafetensorsEntry("\(module).lora_A.weight", Tensor.ones([1, 4])),
        SafetensorsEntry("\(module).lora_B.weight", Tensor.ones([4, 1])),
      ]
    }
    try SafetensorsWriter.write(entries, to: folder("twins.safetensors"))
    let error = #expect(throws: LoRAError.self) {
      try LoRAFile(folder("twins.safetensors")).convert(
        to: folder("x.safetensors"), as: .kohya, names: LoRALayerNames([:]))
    }
    #expect(error?.description.contains("a_b") == true)
    #expect(try folder.names(in: "") == ["twins.safetensors"])
  }

  @Test func flattenedNamesOfAnotherModelAreNamed() throws {
    let names = LoRALayerNames([.unet: try FormLayers()])
    let error = #expect(throws: LoRAError.self) {
      try LoRAFile(fixturePath("attention/kohya.safetensors")).convert(
        to: folder("x.safetensors"), as: .diffusers, names: names)
    }
    #expect(error?.description.contains("lora_unet_down_blocks_0") == true)
  }

  @Test func numbersThatThePrecisionCannotHoldAreRefused() throws {
    let names = LoRALayerNames([.unet: try FormLayers()])
    try SafetensorsWriter.write(
      [
        SafetensorsEntry("lora_unet_lin.lora_down.weight", Tensor(repeating: 1e5, [1, 12])),
        SafetensorsEntry("lora_unet_lin.lora_up.weight", Tensor.ones([8, 1])),
      ], to: folder("big.safetensors"))
    let file = try LoRAFile(folder("big.safetensors"))
    #expect(throws: LoRAError.self) {
      try file.convert(to: folder("x.safetensors"), as: .kohya, names: names, precision: .f16)
    }
    _ = try file.convert(to: folder("x.safetensors"), as: .kohya, names: names, precision: .bf16)
  }
}
