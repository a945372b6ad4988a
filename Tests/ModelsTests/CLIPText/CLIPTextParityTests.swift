import Checkpoints
import ComputeCore
import Foundation
import Layers
import Models
import TestSupport
import Testing

@Suite struct CLIPTextParityTests {
  /// Weights of torch, whole and as shards, as folders had them before safetensors.
  @Test(arguments: [["pytorch_model.bin"], ["model.fp16.bin"], ["pytorch_model.bin.index.json"]])
  func filesOfTorchEqualThoseOfSafetensors(_ names: [String]) throws {
    let fixture = try ModelFixture("clip_sd1")
    let scratch = try ScratchFolder()
    for (name, copy) in [("config.json", "config.json"), ("pytorch_model.bin", names[0])] {
      let isIndex = copy.hasSuffix(".index.json")
      try FileManager.default.copyItem(
        atPath: "\(fixture.path)/\(name)", toPath: scratch(isIndex ? "part-1.bin" : copy))
      guard isIndex else { continue }
      let keys = try CheckpointFile.open(scratch("part-1.bin")).keys
      let map = keys.map { "\"\($0)\": \"part-1.bin\"" }.joined(separator: ",")
      try scratch.write("{\"weight_map\": {\(map)}}", to: copy)
    }
    let expected = try CLIPTextModel.load(folder: fixture.path).namedParameters()
    let found = try CLIPTextModel.load(folder: scratch.path, isFrozen: true).namedParameters()
    for (a, b) in zip(found, expected) {
      #expect(a.key == b.key && a.parameter.value.values == b.parameter.value.values)
    }
  }

  @Test(arguments: ["clip_sd1", "clip_sd1_new_eos", "clip_sd2"])
  func outputsMatchTransformers(_ name: String) throws {
    let fixture = try ModelFixture(name)
    let model = try CLIPTextModel.load(folder: fixture.path)
    let ids = try fixture.ids("input_ids")
    try expectMatch(model(ids), fixture, prefix: "")
    try expectMatch(
      model(ids, mask: try fixture.tensor("attention_mask")), fixture, prefix: "masked.")
    let hiddenStates = model(ids).hiddenStates
    expectClose(
      model.finalLayerNorm(hiddenStates[hiddenStates.count - 2]),
      try fixture.tensor("penultimate_normed"), tolerance: 1e-4, "\(name) penultimate")
  }

  private func expectMatch(
    _ output: CLIPTextOutput, _ fixture: ModelFixture, prefix: String
  ) throws {
    let label = "\(fixture.name) \(prefix)"
    expectClose(
      output.lastHiddenState, try fixture.tensor("\(prefix)last_hidden_state"), tolerance: 1e-4,
      label)
    expectClose(
      output.poolerOutput, try fixture.tensor("\(prefix)pooler_output"), tolerance: 1e-4, label)
    for (index, hidden) in output.hiddenStates.enumerated() {
      guard let expected = try fixture.optionalTensor("\(prefix)hidden_states.\(index)") else {
        continue
      }
      expectClose(hidden, expected, tolerance: 1e-4, "\(label) hidden state \(index)")
    }
  }

  @Test func keysWithoutPrefixLoadTheSame() throws {
    let fixture = try ModelFixture("clip_sd1")
    let model = try CLIPTextModel(CLIPTextModel.loadConfig(folder: fixture.path))
    let file = try SafetensorsFile(fixture.path + "/model_transformers5.safetensors")
    try model.load(from: file, keyMap: CLIPTextModel.keyMap)
    let same = try CLIPTextModel.load(folder: fixture.path)
    let ids = try fixture.ids("input_ids")
    #expect(model(ids).lastHiddenState.values == same(ids).lastHiddenState.values)
  }

  @Test func laterTokensDoNotReachBack() throws {
    let model = try CLIPTextModel.load(folder: try ModelFixture("clip_sd2").path)
    let a = model([[48, 3, 4, 5, 49]]).lastHiddenState.sliced(axis: 1, 0..<3)
    let b = model([[48, 3, 4, 9, 10]]).lastHiddenState.sliced(axis: 1, 0..<3)
    #expect(a.values == b.values)
  }
}
