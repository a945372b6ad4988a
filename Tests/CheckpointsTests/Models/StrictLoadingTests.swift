import Checkpoints
import ComputeCore
import Foundation
import Layers
import Testing

@Suite struct StrictLoadingTests {
  private let folder: TemporaryFolder
  private let path: String

  init() throws {
    folder = try TemporaryFolder()
    path = folder.file("w.safetensors")
  }

  /// Entries that fit `TinyModel`.
  private func goodEntries() -> [String: SafetensorsEntry] {
    let shapes = [
      "conv.weight": [3, 2, 2, 2], "conv.bias": [3], "to_out.0.weight": [4, 3, 1, 1],
      "to_out.0.bias": [4],
    ]
    return Dictionary(
      uniqueKeysWithValues: shapes.map {
        ($0.key, SafetensorsEntry($0.key, Tensor(repeating: 9, $0.value)))
      })
  }

  private func expectRefusal(
    _ entries: [String: SafetensorsEntry], sourceLocation: SourceLocation = #_sourceLocation,
    _ isExpected: (CheckpointError) -> Bool
  ) throws {
    try SafetensorsWriter.write(Array(entries.values), to: path)
    let model = try TinyModel.counted()
    let before = model.numbers
    do {
      try model.load(from: SafetensorsFile(path))
      Issue.record("loaded", sourceLocation: sourceLocation)
    } catch {
      #expect(isExpected(error), "\(error)", sourceLocation: sourceLocation)
    }
    #expect(model.numbers == before, "parameters changed", sourceLocation: sourceLocation)
  }

  @Test func aFittingFileLoads() throws {
    try SafetensorsWriter.write(Array(goodEntries().values), to: path)
    let model = try TinyModel.counted()
    try model.load(from: SafetensorsFile(path))
    #expect(model.numbers.allSatisfy { $0 == 9 })
  }

  @Test func aMissingTensorIsNamed() throws {
    var entries = goodEntries()
    entries["conv.bias"] = nil
    try expectRefusal(entries) {
      $0
        == .mismatch(file: path, missing: ["conv.bias"], unexpected: [], wrongShapes: [])
        && $0.description.contains("1 tensor missing: conv.bias.")
    }
  }

  @Test func anUnexpectedTensorIsNamed() throws {
    var entries = goodEntries()
    entries["more"] = SafetensorsEntry("more", Tensor(1))
    try expectRefusal(entries) {
      $0 == .mismatch(file: path, missing: [], unexpected: ["more"], wrongShapes: [])
    }
  }

  @Test func aWrongShapeIsNamedWithBothShapes() throws {
    var entries = goodEntries()
    entries["conv.weight"] = SafetensorsEntry("conv.weight", Tensor.zeros([3, 2, 3, 3]))
    try expectRefusal(entries) {
      guard case .mismatch(_, [], [], let shapes) = $0 else { return false }
      return shapes.map(\.found) == [[3, 2, 3, 3]] && shapes.map(\.expected) == [[3, 2, 2, 2]]
        && $0.description.contains("conv.weight is [3, 2, 3, 3], expected [3, 2, 2, 2]")
    }
  }

  @Test func everythingWrongIsSaidAtOnce() throws {
    var entries = Dictionary(
      uniqueKeysWithValues: (0..<9).map { ("k\($0)", SafetensorsEntry("k\($0)", Tensor(1))) })
    entries["conv.weight"] = SafetensorsEntry("conv.weight", Tensor.zeros([1]))
    try expectRefusal(entries) {
      let text = $0.description
      return text.contains("3 tensors missing") && text.contains("9 tensors unexpected")
        && text.contains("k4; …") && text.contains("1 tensor of the wrong shape")
    }
  }

  @Test func integersForWeightsAreRefused() throws {
    var entries = goodEntries()
    entries["conv.bias"] = SafetensorsEntry("conv.bias", int32s: [1, 2, 3], [3])
    try expectRefusal(entries) {
      if case .wrongType(_, "conv.bias", "I32", _) = $0 { true } else { false }
    }
  }

  @Test func twoTensorsForOneParameterAreRefused() throws {
    var entries = goodEntries()
    entries["other.bias"] = SafetensorsEntry("other.bias", Tensor.zeros([3]))
    try SafetensorsWriter.write(Array(entries.values), to: path)
    let model = try TinyModel.counted()
    let map = KeyMap("both") { $0 == "other.bias" ? "conv.bias" : $0 }
    #expect(throws: CheckpointError.self) {
      try model.load(from: SafetensorsFile(path), keyMap: map)
    }
  }

  @Test func linearWeightsLoadAsPointwiseConvolutionsAndBack() throws {
    var entries = goodEntries()
    entries["to_out.0.weight"] = SafetensorsEntry("to_out.0.weight", Tensor(repeating: 9, [4, 3]))
    try SafetensorsWriter.write(Array(entries.values), to: path)
    let model = try TinyModel.counted()
    try model.load(from: SafetensorsFile(path))
    #expect(model.numbers.allSatisfy { $0 == 9 })
    try model.save(to: path)
    #expect(try SafetensorsFile(path).shape(of: "to_out.0.weight") == [4, 3, 1, 1])
  }

  @Test(arguments: SafetensorsEntry.Precision.allCases)
  func savedModulesLoadTheSame(_ precision: SafetensorsEntry.Precision) throws {
    // The numbers are below 256 and whole, which every precision holds exactly.
    let model = try TinyModel.counted()
    try model.save(to: path, as: precision)
    let other = try TinyModel(TinyModel.Config())
    try other.load(from: SafetensorsFile(path))
    #expect(other.numbers == model.numbers)
    let file = try SafetensorsFile(path)
    #expect(file.dtype(of: "conv.weight")?.rawValue.lowercased() == precision.rawValue)
    #expect(file.metadata == ["format": "pt"])
  }
}
