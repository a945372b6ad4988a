import Checkpoints
import Foundation
import Pipelines
import TestSupport
import Testing

@Suite struct FileHashCacheTests {
  private let folder: ScratchFolder

  init() throws {
    folder = try ScratchFolder()
    try folder.write("abc", to: "model/unet/diffusion_pytorch_model.safetensors")
  }

  /// The vector of FIPS 180-4 for "abc".
  private let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
  private var file: String { folder("model/unet/diffusion_pytorch_model.safetensors") }

  @Test func modelsAreHashedAsFilesAndAsFolders() throws {
    #expect(try ModelHash.of(file) == "ba7816bf8f")
    #expect(try ModelHash.of(folder("model")) == "ba7816bf8f")
    #expect(try ModelHash.of(folder("model/unet")) == "ba7816bf8f")
    #expect(throws: PipelineError.self) { _ = try ModelHash.of(folder("nowhere")) }
    try folder.write("{}", to: "empty/unet/config.json")
    #expect(throws: PipelineError.self) { _ = try ModelHash.of(folder("empty")) }
  }

  @Test func shardsAreHashedTogetherInTheOrderOfTheirNames() throws {
    try folder.write("c", to: "sharded/m-2.safetensors")
    try folder.write("ab", to: "sharded/m-1.safetensors")
    try folder.write(
      """
      {"weight_map": {"x": "m-2.safetensors", "y": "m-1.safetensors", "z": "m-2.safetensors"}}
      """, to: "sharded/diffusion_pytorch_model.safetensors.index.json")
    #expect(try ModelHash.of(folder("sharded")) == "ba7816bf8f")
  }

  @Test func aFileIsReadOnceWhileItStaysAsItIs() throws {
    let cache = FileHashCache(path: folder("cache/a/hashes.json"), threshold: 3)
    var reads = 0
    func hash() throws -> String { try cache.sha256(of: [file]) { _, _ in reads += 1 } }
    #expect(try hash() == abc && reads == 1)
    #expect(try hash() == abc && reads == 1)
    try Data("abd".utf8).write(to: URL(fileURLWithPath: file))
    try FileManager.default.setAttributes(
      [.modificationDate: Date(timeIntervalSince1970: 1e9)], ofItemAtPath: file)
    #expect(try hash() == "a52d159f262b2c6ddb724a61840befc36eb30c88877a4030b65cbe86298449c9")
    #expect(reads == 2)
    try Data("abcd".utf8).write(to: URL(fileURLWithPath: file))
    try FileManager.default.setAttributes(
      [.modificationDate: Date(timeIntervalSince1970: 1e9)], ofItemAtPath: file)
    #expect(try hash() == "88d4266fd4e6338d13b845fcf289579d209c897823b9217da3e161936f031589")
    #expect(reads == 3)
  }

  @Test func smallFilesLeaveNoTrace() throws {
    let cache = FileHashCache(path: folder("hashes.json"), threshold: 4)
    #expect(try cache.sha256(of: [file]) == abc)
    #expect(try !folder.names(in: ".").contains("hashes.json"))
  }

  @Test(arguments: ["", "{", "[]", "{\"a\": 3}"])
  func aDamagedCacheIsMadeAnew(_ text: String) throws {
    try folder.write(text, to: "hashes.json")
    let cache = FileHashCache(path: folder("hashes.json"), threshold: 1)
    #expect(try cache.sha256(of: [file]) == abc)
    var reads = 0
    _ = try cache.sha256(of: [file]) { _, _ in reads += 1 }
    #expect(reads == 0)
  }

  @Test func aCacheThatCannotBeWrittenChangesNothing() throws {
    let cache = FileHashCache(path: file + "/hashes.json", threshold: 1)
    #expect(try cache.sha256(of: [file]) == abc)
  }
}
