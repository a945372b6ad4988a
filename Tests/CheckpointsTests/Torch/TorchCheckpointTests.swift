import Checkpoints
import ComputeCore
import Foundation
import Testing

/// Files of torch.save itself; see scripts/fixtures/checkpoints.py.
@Suite struct TorchCheckpointTests {
  private static let folder =
    URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().path + "/Fixtures/torch/"

  private func refusal(_ name: String) -> String {
    do {
      _ = try CheckpointFile.open(Self.folder + name)
      return "opened"
    } catch {
      return error.description
    }
  }

  @Test(arguments: ["plain.bin", "lightning.ckpt"])
  func everyTensorEqualsTorchs(_ name: String) throws {
    let file = try CheckpointFile.open(Self.folder + name)
    let expected = try SafetensorsFile(Self.folder + "expected.safetensors")
    #expect(file.keys == (expected.keys + ["scalar"]).sorted())
    for key in expected.keys where key != "steps" {
      #expect(file.shape(of: key) == expected.shape(of: key), "\(key)")
      #expect(try file.tensor(key).values == expected.tensor(key).values, "\(key)")
    }
    #expect(try file.tensor("scalar").item == 2.5)
    #expect(file.shape(of: "scalar") == [])
    #expect(
      try file.bytes("steps") == [7, 0, 0, 0, 0, 0, 0, 0] + [UInt8](repeating: 255, count: 8))
    #expect(file.dtype(of: "bf16") == .bf16)
    #expect(file.metadata["global_step"] == (name == "plain.bin" ? nil : "875000"))
  }

  @Test func protocol4IsRead() throws {
    let file = try CheckpointFile.open(Self.folder + "protocol4.pt")
    #expect(try file.tensor("a").values == [1, 1])
  }

  @Test(arguments: [
    ("hostile.ckpt", "posix.system"), ("legacy.pt", "torch before version 1.6"),
    ("big_endian.pt", "byte order \"big\""), ("compressed.pt", "compressed by method 8"),
  ])
  func whatIsRefusedIsNamed(_ name: String, _ expected: String) {
    #expect(refusal(name).contains(expected), "\(refusal(name))")
  }

  @Test(arguments: [
    ("version https://git-lfs.github.com/spec/v1\n", "Git LFS pointer"),
    ("<!DOCTYPE html><html>", "web page"), ("", "0 bytes"), ("something else", "header"),
  ])
  func filesOfOtherKindsAreNamed(_ text: String, _ expected: String) throws {
    let scratch = try TemporaryFolder()
    let path = scratch.file("model.ckpt")
    try text.write(toFile: path, atomically: false, encoding: .utf8)
    do {
      _ = try CheckpointFile.open(path)
      Issue.record("opened")
    } catch {
      #expect(error.description.contains(expected), "\(error)")
    }
  }
}
