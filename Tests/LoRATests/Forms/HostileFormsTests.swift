import Checkpoints
import ComputeCore
import LoRA
import TestSupport
import Testing

/// Files whose tensors were exchanged for wrong ones: each must be refused by name, none may crash.
@Suite struct HostileFormsTests {
  private let folder: ScratchFolder

  init() throws { folder = try ScratchFolder() }

  @Test(arguments: FormCase.all)
  func aTensorOfAnotherShapeIsRefused(_ item: FormCase) throws {
    let file = try SafetensorsFile(item.path)
    for key in file.keys where !key.hasSuffix("alpha") {
      let shape = file.shape(of: key) ?? []
      for wrong in [shape + [2], shape.map { $0 + 1 }, [shape.reduce(1, *) * 3], [0]] {
        let path = try changed(item, key) { _ in Tensor.ones(wrong) }
        let error = attachError(path)
        #expect(error != nil, "\(key) as \(wrong)")
      }
    }
  }

  @Test(arguments: FormCase.all)
  func aTensorThatIsNotFiniteIsRefused(_ item: FormCase) throws {
    for key in try SafetensorsFile(item.path).keys {
      for bad in [Float.nan, .infinity] {
        let path = try changed(item, key) { old in
          Tensor([bad] + old.values.dropFirst(), old.shape)
        }
        for application in [LoRAStack.Application.onTheFly, .merged] {
          let error = attachError(path, application)
          #expect(error?.description.contains(key) == true, "\(key): \(String(describing: error))")
        }
      }
    }
  }

  @Test(arguments: FormCase.all)
  func aMissingTensorIsRefusedOrMeansLess(_ item: FormCase) throws {
    let optional = ["alpha", "diff_b", "b_norm", "w_norm", "diff", "dora_scale", "lora_B.bias"]
    for key in try SafetensorsFile(item.path).keys {
      let isOptional =
        optional.contains { key.hasSuffix($0) } || key.hasSuffix("_t1") || key.hasSuffix("_t2")
        || key.hasSuffix("lora_mid.weight") || key.hasSuffix("lora_magnitude_vector")
      let path = try changed(item, key) { _ in nil }
      if !isOptional { #expect(attachError(path) != nil, "\(key)") }
      _ = attachError(path)  // whatever it means, it may not crash
    }
  }

  @Test func shapesAreBothNamed() throws {
    let item = try #require(FormCase.all.first { $0.name == "loha" })
    let path = try changed(item, "lora_unet_conv.hada_w1_a") { _ in Tensor.ones([5, 2]) }
    let words = attachError(path)?.description ?? ""
    #expect(words.contains("lora_unet_conv.hada_w1_a is [5, 2], expected [6, 2]"), "\(words)")
  }

  @Test func unmatchedTensorsAreListedWhereAllowed() throws {
    let item = try #require(FormCase.all.first { $0.name == "locon" })
    let path = folder("extra.safetensors")
    let file = try SafetensorsFile(item.path)
    var entries = try file.keys.map { SafetensorsEntry($0, try file.tensor($0)) }
    entries.append(SafetensorsEntry("lora_unet_none.diff", Tensor.ones([2])))
    try SafetensorsWriter.write(entries, to: path)
    #expect(attachError(path)?.description.contains("lora_unet_none.diff") == true)
    let stack = LoRAStack([.unet: try FormLayers()])
    let attached = try stack.attach(LoRAFile(path), allowsUnmatched: true)
    #expect(attached.unmatchedKeys == ["lora_unet_none.diff"])
  }

  @Test(
    arguments: [
      ("lin", ["lokr_w1_a": [2, 1], "lokr_w1_b": [1, 5], "lokr_w2": [4, 2]], "lokr_w1_b"),
      (
        "conv",
        ["lora_down.weight": [2, 4], "lora_mid.weight": [3, 18], "lora_up.weight": [6, 3]],
        "lora_mid.weight is [3, 18], expected [3, 2, 3, 3]"
      ),
      (
        "conv",
        [
          "hada_w1_a": [2, 6], "hada_w1_b": [2, 4], "hada_t1": [2, 18], "hada_w2_a": [2, 6],
          "hada_w2_b": [2, 4], "hada_t2": [2, 18],
        ], "hada_t1"
      ),
      ("layer_norm", ["diff_b": [8], "dora_scale": [8]], "magnitude"),
      ("square", ["diff_b": []], "lora_unet_square.diff_b"),
    ] as [(String, [String: Shape], String)])
  func shapesThatDoNotGoTogetherAreRefused(
    _ layer: String, _ shapes: [String: Shape], _ expected: String
  ) throws {
    let path = folder("odd.safetensors")
    try SafetensorsWriter.write(
      shapes.map { SafetensorsEntry("lora_unet_\(layer).\($0.key)", Tensor.ones($0.value)) },
      to: path)
    let words = attachError(path)?.description ?? "attached"
    #expect(words.contains(expected), "\(words)")
  }

  @Test func aChangeOfABiasThatIsNotThereIsReported() throws {
    let path = folder("bias.safetensors")
    try SafetensorsWriter.write(
      [
        SafetensorsEntry("lora_unet_square.diff_b", Tensor(1)),
        SafetensorsEntry("lora_unet_lin.diff_b", Tensor.ones([8])),
      ], to: path)
    let attached = try LoRAStack([.unet: try FormLayers()]).attach(
      LoRAFile(path), allowsUnmatched: true)
    #expect(attached.unmatchedKeys == ["lora_unet_square.diff_b"])
  }

  /// A copy of a case's file with one tensor exchanged or left out.
  private func changed(
    _ item: FormCase, _ key: String, _ change: (Tensor) -> Tensor?
  ) throws -> String {
    let file = try SafetensorsFile(item.path)
    let path = folder("\(item.name)/adapter_model.safetensors")
    try folder.write("", to: "\(item.name)/note")
    if item.dialect == "PEFT" {
      let settings = try bytes(fixturePath("forms/\(item.name)/adapter_config.json"))
      try folder.write(
        String(decoding: settings, as: UTF8.self), to: "\(item.name)/adapter_config.json")
    }
    let entries: [SafetensorsEntry] = try file.keys.compactMap { name in
      let tensor = try file.tensor(name)
      return (name == key ? change(tensor) : tensor).map { SafetensorsEntry(name, $0) }
    }
    try SafetensorsWriter.write(entries, to: path)
    return path
  }

  private func attachError(
    _ path: String, _ application: LoRAStack.Application = .onTheFly
  ) -> LoRAError? {
    do {
      let layers = try FormLayers()
      let attached = try LoRAFile(path).attach(to: [.unet: layers], application: application)
      _ = try layers.outputs()
      attached.detach()
      return nil
    } catch {
      return error as? LoRAError
    }
  }
}
