import Checkpoints
import ComputeCore
import Foundation
import LoRA
import Models
import TestSupport
import Testing

@Suite struct ModelMergingTests {
  private let folder: ScratchFolder

  init() throws {
    folder = try ScratchFolder()
    try folder.write("{}", to: "model/model_index.json")
    try folder.write("words", to: "model/tokenizer/vocab.json")
    for part in ["unet", "text_encoder"] {
      try FileManager.default.copyItem(atPath: fixturePath(part), toPath: folder("model/\(part)"))
    }
  }

  @Test func newModelDoesWhatTheFileDoesOnTheFly() throws {
    let io = try SafetensorsFile(fixturePath("text/io.safetensors"))
    var merging = try ModelMerging(folder("model"))
    try merging.add(WeightedLoRA(LoRAFile(fixturePath("text/kohya.safetensors"))))
    var steps: [Int] = []
    let result = try merging.write(to: folder("new")) { done, total in
      steps.append(done)
      #expect(done <= total)
    }
    #expect(result.unmatchedKeys.isEmpty && result.changedCount == 40)
    #expect(steps == Array(1...steps.count))
    #expect(
      try folder.names(in: "new") == ["model_index.json", "text_encoder", "tokenizer", "unet"])
    #expect(try folder.names(in: "") == ["model", "new"])
    #expect(try bytes(folder("new/tokenizer/vocab.json")) == Array("words".utf8))

    let base = try TinyUNet()
    let unet = try UNet2DConditionModel.load(folder: folder("new/unet"))
    let y = unet(
      try base.io.tensor("sample"), timesteps: try base.io.int32s("timestep").map(Float.init),
      encoderHiddenStates: try base.io.tensor("encoder_hidden_states"))
    expectClose(y, try io.tensor("y"), tolerance: 2e-5)
    let text = try CLIPTextModel.load(folder: folder("new/text_encoder"))
    let ids = try io.int32s("input_ids")
    let hidden = text([Array(ids[..<7]), Array(ids[7...])]).lastHiddenState
    expectClose(hidden, try io.tensor("last_hidden_state"), tolerance: 1e-5)
    try expectUntouchedTensorsKeepTheirBits()
  }

  private func expectUntouchedTensorsKeepTheirBits() throws {
    let name = "unet/diffusion_pytorch_model.safetensors"
    let (old, new) = (
      try SafetensorsFile(folder("model/\(name)")), try SafetensorsFile(folder("new/\(name)"))
    )
    #expect(old.keys == new.keys)
    for key in old.keys {
      let isSame = try old.bytes(key) == new.bytes(key)
      let isTarget = ["to_q", "to_k", "to_v", "to_out.0"].contains {
        key.hasSuffix("\($0).weight")
      }
      #expect(isSame != isTarget, "\(key)")
    }
  }

  @Test func typesOfTheModelAreKept() throws {
    let path = folder("model/unet/diffusion_pytorch_model.safetensors")
    let file = try SafetensorsFile(path)
    let entries = try file.keys.map { SafetensorsEntry($0, try file.tensor($0), as: .bf16) }
    try SafetensorsWriter.write(entries, to: path)
    var merging = try ModelMerging(folder("model"))
    try merging.add(
      WeightedLoRA(LoRAFile(fixturePath("attention/kohya.safetensors")), weight: 0.5))
    _ = try merging.write(to: folder("new"))
    let new = try SafetensorsFile(folder("new/unet/diffusion_pytorch_model.safetensors"))
    #expect(new.keys.allSatisfy { new.dtype(of: $0) == .bf16 })
  }

  @Test func whatDoesNotFitIsRefusedOrListed() throws {
    let key = "lora_unet_no_such_layer.diff"
    try SafetensorsWriter.write(
      [
        SafetensorsEntry(key, Tensor.ones([2, 2])),
        SafetensorsEntry("lora_unet_conv_in.diff_b", Tensor.ones([4])),
      ], to: folder("extra.safetensors"))
    let lora = WeightedLoRA(try LoRAFile(folder("extra.safetensors")))
    var merging = try ModelMerging(folder("model"))
    let error = #expect(throws: LoRAError.self) { try merging.add(lora) }
    #expect(error?.description.contains(key) == true)
    try merging.add(lora, allowsUnmatched: true)
    let result = try merging.write(to: folder("new"))
    #expect(result.unmatchedKeys == [key] && result.changedCount == 1)
    #expect(throws: LoRAError.self, "it exists") { try merging.write(to: folder("new")) }
    #expect(throws: LoRAError.self) { try ModelMerging(folder("no such model")) }
  }

  @Test func linksAreFollowedAndSlashesDoNoHarm() throws {
    let files = FileManager.default
    try files.moveItem(atPath: folder("model/tokenizer"), toPath: folder("blobs"))
    try files.createSymbolicLink(
      atPath: folder("model/tokenizer"), withDestinationPath: "../blobs")
    let merging = try ModelMerging(folder("model"))
    _ = try merging.write(to: folder("new//"))
    try files.removeItem(atPath: folder("blobs"))
    #expect(try bytes(folder("new/tokenizer/vocab.json")) == Array("words".utf8))
    #expect(try folder.names(in: "") == ["model", "new"])
    #expect(throws: LoRAError.self, "inside of itself") {
      try merging.write(to: folder("model/new"))
    }
  }

  @Test func overflowIsFoundAndNothingIsLeft() throws {
    let path = folder("model/unet/diffusion_pytorch_model.safetensors")
    let file = try SafetensorsFile(path)
    let entries = try file.keys.map { SafetensorsEntry($0, try file.tensor($0), as: .f16) }
    try SafetensorsWriter.write(entries, to: path)
    try SafetensorsWriter.write(
      [SafetensorsEntry("lora_unet_conv_in.diff_b", Tensor(repeating: 1e5, [4]))],
      to: folder("big.safetensors"))
    var merging = try ModelMerging(folder("model"))
    try merging.add(WeightedLoRA(LoRAFile(folder("big.safetensors"))))
    let error = #expect(throws: LoRAError.self) { try merging.write(to: folder("new")) }
    #expect(error?.description.contains("conv_in.bias") == true)
    #expect(try folder.names(in: "") == ["big.safetensors", "model"])
  }
}
