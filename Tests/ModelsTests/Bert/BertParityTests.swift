import Checkpoints
import ComputeCore
import Foundation
import Models
import TestSupport
import Testing

@Suite struct BertParityTests {
  @Test func outputsMatchTransformers() throws {
    let fixture = try ModelFixture("bert")
    let model = try BertModel.load(folder: fixture.path)
    let result = model(
      try fixture.ids("input_ids"), mask: try fixture.tensor("attention_mask"),
      tokenTypes: try fixture.ids("token_type_ids"))
    expectClose(
      result.lastHiddenState, try fixture.tensor("last_hidden_state"), tolerance: 1e-4)
    expectClose(
      try #require(result.poolerOutput), try fixture.tensor("pooler_output"), tolerance: 1e-4)
    for (index, hidden) in result.hiddenStates.enumerated() {
      expectClose(
        hidden, try fixture.tensor("hidden_states.\(index)"), tolerance: 1e-4,
        "hidden state \(index)")
    }
  }

  @Test func thePoolerIsThereWhenTheFileHasIt() throws {
    let fixture = try ModelFixture("bert")
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("imgen-bert-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let full = try BertModel.load(folder: fixture.path)
    try full.save(folder: folder)
    #expect(try BertModel.load(folder: folder).config.addPoolingLayer)
    let file = try SafetensorsFile(folder + "/model.safetensors")
    let entries = try file.keys.filter { !$0.hasPrefix("pooler.") }.map {
      SafetensorsEntry("bert." + $0, try file.tensor($0))
    }
    try SafetensorsWriter.write(entries, to: folder + "/model.safetensors")
    let bare = try BertModel.load(folder: folder)
    #expect(!bare.config.addPoolingLayer)
    let ids = try fixture.ids("input_ids")
    #expect(bare(ids).poolerOutput == nil)
    #expect(bare(ids).lastHiddenState.values == full(ids).lastHiddenState.values)
  }
}
