import Checkpoints
import ComputeCore
import Foundation
import Testing

@Suite struct SafetensorsFileTests {
  private let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
  }

  @Test func everyTypeComesBackAsWritten() throws {
    let path = folder.file("a.safetensors")
    let x = Tensor([0, -1.5, 65504, 6.1e-5, 5.96e-8, .infinity], [2, 3])
    try SafetensorsWriter.write(
      [
        SafetensorsEntry("w.f32", x),
        SafetensorsEntry("w.f16", x, as: .f16),
        SafetensorsEntry("w.bf16", x, as: .bf16),
        SafetensorsEntry("scalar", Tensor(2.5)),
        SafetensorsEntry("empty", Tensor([], [0, 4])),
        SafetensorsEntry("ids", int32s: [1, -2, .max], [3]),
        SafetensorsEntry("long", int64s: [7, -8], [2, 1]),
        SafetensorsEntry("bytes", bytes: [0, 1, 255], [3], .u8),
      ], metadata: ["format": "pt", "quote\"": "line\nend \u{1F600}"], to: path)
    let file = try SafetensorsFile(path)
    #expect(
      file.keys == ["bytes", "empty", "ids", "long", "scalar", "w.bf16", "w.f16", "w.f32"])
    #expect(file.metadata == ["format": "pt", "quote\"": "line\nend \u{1F600}"])
    #expect(try file.tensor("w.f32").values == x.values)
    #expect(try file.tensor("w.f16").values == x.values.map { Float(Float16($0)) })
    #expect(try file.tensor("w.bf16").values == x.cast(to: .bfloat16).values)
    #expect(try file.tensor("scalar").shape == [])
    #expect(try file.tensor("empty").shape == [0, 4])
    #expect(try file.int32s("ids") == [1, -2, .max])
    #expect(try file.int32s("long") == [7, -8])
    #expect(try file.int32s("bytes") == [0, 1, 255])
    #expect(try file.bytes("bytes") == [0, 1, 255])
    #expect(file.shape(of: "long") == [2, 1])
    #expect(file.dtype(of: "w.bf16") == .bf16)
  }

  @Test func everyHalfWidensExactly() throws {
    let path = folder.file("halves.safetensors")
    let bytes = (0...UInt16.max).flatMap { [UInt8($0 & 255), UInt8($0 >> 8)] }
    try SafetensorsWriter.write(
      [SafetensorsEntry("h", bytes: bytes, [65536], .f16)], to: path)
    let values = try SafetensorsFile(path).tensor("h").values
    let differing = (0...UInt16.max).filter {
      let expected = Float(Float16(bitPattern: $0))
      let found = values[Int($0)]
      return expected.isNaN ? !found.isNaN : found.bitPattern != expected.bitPattern
    }
    #expect(differing == [])
  }

  @Test func equalTensorsGiveEqualFiles() throws {
    let entries = ["b", "a", "c"].map { SafetensorsEntry($0, Tensor([1, 2], [2])) }
    let paths = ["one", "two"].map(folder.file)
    try SafetensorsWriter.write(entries, metadata: ["x": "1", "y": "2"], to: paths[0])
    try SafetensorsWriter.write(entries.reversed(), metadata: ["y": "2", "x": "1"], to: paths[1])
    #expect(
      FileManager.default.contents(atPath: paths[0])
        == FileManager.default.contents(atPath: paths[1]))
  }

  @Test func aMissingTensorIsNamed() throws {
    let path = folder.file("a.safetensors")
    try SafetensorsWriter.write([SafetensorsEntry("a", Tensor(1))], to: path)
    #expect(throws: CheckpointError.noSuchKey(file: path, key: "b")) {
      try SafetensorsFile(path).tensor("b")
    }
  }

  @Test func integersAreNotReadAsNumbersNorLargeOnesCut() throws {
    let path = folder.file("a.safetensors")
    try SafetensorsWriter.write([SafetensorsEntry("a", int64s: [1 << 40], [1])], to: path)
    let file = try SafetensorsFile(path)
    #expect(throws: CheckpointError.self) { try file.tensor("a") }
    #expect(throws: CheckpointError.self) { try file.int32s("a") }
  }

  @Test func aFailedWriteLeavesTheOldFileAndNoTemporary() throws {
    #expect(throws: CheckpointError.self) {
      try SafetensorsWriter.write([], to: folder.file("no/such/folder/x.safetensors"))
    }
    #expect(throws: CheckpointError.self) { try SafetensorsFile(folder.file("absent")) }
    #expect(throws: CheckpointError.self) { try SafetensorsFile(folder.path) }
    let path = folder.file("a")
    try SafetensorsWriter.write([SafetensorsEntry("a", Tensor(1))], to: path)
    try SafetensorsWriter.write([SafetensorsEntry("a", Tensor(2))], to: path)
    #expect(try SafetensorsFile(path).tensor("a").item == 2)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["a"])
  }
}
