import Checkpoints
import ComputeCore
import Foundation
import Testing

@Suite struct ModelFolderTests {
  private let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
  }

  private func writeConfig(_ json: String) throws {
    try json.write(toFile: folder.file("config.json"), atomically: true, encoding: .utf8)
  }

  @Test func aSavedFolderLoadsTheSame() throws {
    let model = try TinyModel.counted()
    try model.save(folder: folder.file("new/model"))
    let other = try TinyModel.load(folder: folder.file("new/model"))
    #expect(other.config == model.config)
    #expect(other.numbers == model.numbers)
    let json = try String(contentsOfFile: folder.file("new/model/config.json"), encoding: .utf8)
    #expect(json.contains("\"_class_name\" : \"TinyModel\""))
    #expect(json.contains("\"layers_per_block\" : 3"))
  }

  @Test func missingKeysTakeDefaultsAndUnknownOnesAreIgnored() throws {
    try writeConfig(
      #"{"layers_per_block": [1, 2], "scale": 1e-3, "unheard_of": {"a": [null]}, "act_fn": "silu"}"#
    )
    let config = try TinyModel.loadConfig(folder: folder.path)
    #expect(config.inChannels == 2)
    #expect(config.layersPerBlock == .list([1, 2]))
    #expect(config.scale == 1e-3)
    #expect(config.shiftFactor == nil)
  }

  @Test(arguments: [
    (#"{"act_fn": "mish"}"#, "act_fn", "\"mish\""),
    (#"{"dropout": 0.1}"#, "dropout", "0.1"),
    (#"{"in_channels": "four"}"#, "in_channels", "\"four\""),
    (#"{"in_channels": null}"#, "in_channels", "null"),
    (#"{"in_channels": 2.5}"#, "in_channels", "2.5"),
    (#"{"in_channels": 0}"#, "in_channels", "0"),
    (#"{"is_deep": 1}"#, "is_deep", "1"),
    (#"{"layers_per_block": [[1]]}"#, "layers_per_block", "[[1]]"),
  ])
  func unusableValuesAreNamed(_ json: String, _ key: String, _ found: String) throws {
    try TinyModel.counted().save(folder: folder.path)
    try writeConfig(json)
    do {
      _ = try TinyModel.load(folder: folder.path)
      Issue.record("loaded")
    } catch {
      guard case .unsupported(let file, key, found, _) = error else {
        Issue.record("\(error)")
        return
      }
      #expect(file.hasSuffix("config.json"))
    }
  }

  @Test(arguments: ["", "[]", "{", "nul", "{\"a\": 1e999}", "\u{0}"])
  func brokenConfigsAreRefused(_ json: String) throws {
    try writeConfig(json)
    #expect(throws: CheckpointError.self) { try TinyModel.loadConfig(folder: folder.path) }
  }

  @Test func deepNestingIsRefused() throws {
    try writeConfig(String(repeating: "{\"a\":", count: 50_000))
    #expect(throws: CheckpointError.self) { try TinyModel.loadConfig(folder: folder.path) }
  }

  @Test func anAbsentFolderIsNamed() {
    #expect(throws: CheckpointError.self) { try TinyModel.load(folder: folder.file("none")) }
  }

  @Test func onlyPickledWeightsAreExplained() throws {
    try writeConfig("{}")
    _ = FileManager.default.createFile(
      atPath: folder.file("diffusion_pytorch_model.bin"), contents: Data())
    do {
      _ = try TinyModel.load(folder: folder.path)
      Issue.record("loaded")
    } catch {
      #expect(error.description.contains(".bin"))
    }
  }

  @Test func halfPrecisionFilesAreFound() throws {
    let model = try TinyModel.counted()
    try model.save(folder: folder.path, as: .f16)
    try FileManager.default.moveItem(
      atPath: folder.file("diffusion_pytorch_model.safetensors"),
      toPath: folder.file("diffusion_pytorch_model.fp16.safetensors"))
    #expect(try TinyModel.load(folder: folder.path).numbers == model.numbers)
  }

  @Test func shardsLoadThroughTheirIndex() throws {
    let model = try TinyModel.counted()
    try model.save(folder: folder.path)
    let whole = try SafetensorsFile(folder.file("diffusion_pytorch_model.safetensors"))
    for (index, prefix) in ["conv.", "to_out."].enumerated() {
      let entries = try whole.keys.filter { $0.hasPrefix(prefix) }.map {
        SafetensorsEntry($0, try whole.tensor($0))
      }
      try SafetensorsWriter.write(entries, to: folder.file("part-\(index).safetensors"))
    }
    try FileManager.default.removeItem(atPath: whole.path)
    let map = whole.keys.map { "\"\($0)\": \"part-\($0.hasPrefix("conv.") ? 0 : 1).safetensors\"" }
    let index = folder.file("diffusion_pytorch_model.safetensors.index.json")
    try "{\"weight_map\": {\(map.joined(separator: ","))}}"
      .write(toFile: index, atomically: true, encoding: .utf8)
    #expect(try TinyModel.load(folder: folder.path).numbers == model.numbers)
    try "{\"weight_map\": {\"conv.bias\": \"../part-0.safetensors\"}}"
      .write(toFile: index, atomically: true, encoding: .utf8)
    #expect(throws: CheckpointError.self) { try TinyModel.load(folder: folder.path) }
    try "{\"weight_map\": {\"conv.bias\": \"part-1.safetensors\"}}"
      .write(toFile: index, atomically: true, encoding: .utf8)
    #expect(throws: CheckpointError.self) { try TinyModel.load(folder: folder.path) }
  }
}
