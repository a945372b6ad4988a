import Checkpoints
import ComputeCore
import Foundation
import Testing

@Suite struct HostileHeaderTests {
  private let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
  }

  private func open(_ bytes: [UInt8]) throws(CheckpointError) -> SafetensorsFile {
    let path = folder.file("hostile.safetensors")
    _ = FileManager.default.createFile(atPath: path, contents: Data(bytes))
    return try SafetensorsFile(path)
  }

  private func open(_ json: String, data: Int = 8) throws(CheckpointError) -> SafetensorsFile {
    let length = withUnsafeBytes(of: UInt64(json.utf8.count).littleEndian, Array.init)
    return try open(length + Array(json.utf8) + [UInt8](repeating: 0, count: data))
  }

  @Test(arguments: [
    #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#,
    #"{"a":{"data_offsets":[0,8],"dtype":"F32","shape":[2]}}   "#,
    #"{"__metadata__":{},"a":{"dtype":"F32","shape":[],"data_offsets":[0,4]},"#
      + #""b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#,
    #"{ "aé\n\u00e9\ud83d\ude00" : {"dtype":"F16","shape":[2,2],"data_offsets":[0,8]} }"#,
    #"{"a":{"dtype":"F32","shape":[0,9223372036854775807],"data_offsets":[0,0]},"#
      + #""b":{"dtype":"U8","shape":[8],"data_offsets":[0,8]}}"#,
  ])
  func validHeadersOpen(_ json: String) throws {
    #expect(try !open(json).keys.isEmpty)
  }

  @Test(arguments: [
    "", " ", "{", "[]", "null", "{}", "{}x", #"{"a"}"#, #"{"a":}"#, #"{"a":{}}"#, #"{"a":1}"#,
    #"{"a":{"dtype":"F32","shape":[2]}}"#,
    #"{"a":{"dtype":"F31","shape":[2],"data_offsets":[0,8]}}"#,
    #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0]}}"#,
    #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8,8]}}"#,
    #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}"#,
    #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[-1,7]}}"#,
    #"{"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}"#,
    #"{"a":{"dtype":"F32","shape":[2.0],"data_offsets":[0,8]}}"#,
    #"{"a":{"dtype":"F32","shape":[2e0],"data_offsets":[0,8]}}"#,
    #"{"a":{"dtype":"F32","shape":[02],"data_offsets":[0,8]}}"#,
    #"{"a":{"dtype":"F32","shape":["2"],"data_offsets":[0,8]}}"#,
    #"{"a":{"dtype":"F32","shape":[2,],"data_offsets":[0,8]}}"#,
    #"{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}"#,
    #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"more":1}}"#,
    #"{"a":{"dtype":"F32","shape":[2],"shape":[2],"data_offsets":[0,8]}}"#,
    #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#,
    #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#,
    #"{"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}"#,
    #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"#
      + #""a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#,
    #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"#
      + #""\u0061":{"dtype":"F32","shape":[0],"data_offsets":[8,8]}}"#,
    #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"#
      + #""b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#,
    #"{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}}"#,
    #"{"a":{"dtype":"F32","shape":[9223372036854775808],"data_offsets":[0,8]}}"#,
    #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,99999999999999999999]}}"#,
    #"{"__metadata__":{"a":1},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#,
    #"{"__metadata__":{"a":"1","a":"2"},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#,
    #"{"__metadata__":[],"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#,
    #"{"\ud800":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#,
    #"{"\x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#,
    #" {"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#,
  ])
  func brokenHeadersAreRefused(_ json: String) {
    #expect(throws: CheckpointError.self) { try open(json) }
  }

  @Test(arguments: [0, 1, 55, 100_000_001, UInt64(Int.max), .max])
  func wrongHeaderLengthsAreRefused(_ length: UInt64) {
    let json = Array(#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#.utf8)
    let prefix = withUnsafeBytes(of: length.littleEndian, Array.init)
    #expect(throws: CheckpointError.self) { try open(prefix + json) }
  }

  @Test func deepNestingIsRefusedWithoutRecursion() {
    let json = "{\"a\":" + String(repeating: "[", count: 100_000)
    #expect(throws: CheckpointError.self) { try open(json) }
  }

  /// Whatever one to four changed bytes make of a header, it opens with readable tensors or throws.
  @Test func mutatedHeadersNeverCrash() throws {
    let path = folder.file("good.safetensors")
    try SafetensorsWriter.write(
      [
        SafetensorsEntry("conv.weight", Tensor([1, 2, 3, 4], [2, 2])),
        SafetensorsEntry("conv.bias", Tensor([1, 2], [2]), as: .f16),
        SafetensorsEntry("ids", int64s: [3, 4], [2]),
      ], metadata: ["format": "pt"], to: path)
    let good = [UInt8](try #require(FileManager.default.contents(atPath: path)))
    var random = SplitMix64(state: 7)
    let interesting = Array("{}[]\",:\\0129-. Fu\n".utf8) + [0, 0x80, 0xFF]
    for round in 0..<1_000 {
      var bytes = good
      for _ in 0...round % 4 {
        let index = Int.random(in: 0..<bytes.count, using: &random)
        switch round % 3 {
        case 0: bytes[index] = UInt8.random(in: 0...255, using: &random)
        case 1: bytes[index] = interesting.randomElement(using: &random) ?? 0
        default: bytes.remove(at: index)
        }
      }
      guard let file = try? open(bytes) else { continue }
      for key in file.keys {
        #expect(file.shape(of: key) != nil)
        _ = try? file.tensor(key)
        _ = try? file.int32s(key)
        _ = try? file.bytes(key)
      }
    }
  }

  @Test func truncatedFilesAreRefused() throws {
    let path = folder.file("good.safetensors")
    try SafetensorsWriter.write(
      [SafetensorsEntry("a", Tensor([1, 2, 3], [3]))], to: path)
    let good = [UInt8](try #require(FileManager.default.contents(atPath: path)))
    for count in 0..<good.count {
      #expect(throws: CheckpointError.self) { try open(Array(good.prefix(count))) }
    }
  }
}
