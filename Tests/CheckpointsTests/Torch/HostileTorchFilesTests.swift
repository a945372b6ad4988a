import Checkpoints
import ComputeCore
import Foundation
import Testing

/// Archives and pickles that were made to do harm, or damaged: an error that says why, no crash.
@Suite struct HostileTorchFilesTests {
  private let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
  }

  private func open(_ bytes: [UInt8]) throws(CheckpointError) -> any TensorSource {
    let path = folder.file("hostile.ckpt")
    _ = FileManager.default.createFile(atPath: path, contents: Data(bytes))
    return try CheckpointFile.open(path)
  }

  private func refusal(_ bytes: [UInt8]) -> String {
    do {
      _ = try open(bytes)
      return "opened"
    } catch {
      return error.description
    }
  }

  /// A pickle of `{"a": tensor}` whose tensor has this offset, shape and strides over two numbers.
  private func pickle(
    offset: Int32 = 0, shape: [Int32] = [2], strides: [Int32] = [1], count: Int32 = 2,
    key: String = "0", copies: Int = 0
  ) -> [UInt8] {
    func number(_ value: Int32) -> [UInt8] {
      [0x4A] + Swift.withUnsafeBytes(of: value.littleEndian, Array.init)
    }
    func tuple(_ numbers: [Int32]) -> [UInt8] { [0x28] + numbers.flatMap(number) + [0x74] }
    func text(_ string: String) -> [UInt8] { [0x8C, UInt8(string.utf8.count)] + string.utf8 }
    let storage =
      [0x28] + text("storage") + Array("ctorch\nFloatStorage\n".utf8) + text(key) + text("cpu")
      + number(count) + [0x74, 0x51]
    let arguments =
      [0x28] + storage + number(offset) + tuple(shape) + tuple(strides) + [0x89, 0x7D, 0x74]
    let function = Array("ctorch._utils\n_rebuild_tensor_v2\n".utf8) + [0x71, 0]
    let again = [[UInt8]](repeating: [0x68, 0, 0x68, 1, 0x52, 0x30], count: copies)
    let tensor = function + arguments + [0x71, 1, 0x52] + again.flatMap(\.self)
    return [0x80, 2, 0x7D] + text("a") + tensor + [0x73, 0x2E]
  }

  @Test func theHelperMakesAFileThatOpens() throws {
    let file = try open(StoredZip.torch(pickle()).bytes)
    #expect(try file.tensor("a").shape == [2])
    #expect(try open(StoredZip.torch(pickle(shape: [2, 1], strides: [1, 9])).bytes).keys == ["a"])
  }

  @Test func windowsOutsideOfAStorageAreRefused() {
    for bad in [
      pickle(offset: 1), pickle(shape: [3]), pickle(strides: [2]), pickle(count: 1),
      pickle(shape: [2, 2], strides: [1, 0]), pickle(shape: [255, 255], strides: [0, 0]),
      pickle(shape: [2], strides: [1, 1]), pickle(count: 3),
      pickle(offset: 3, shape: [0]), pickle(shape: [0, 2], strides: [9, 9], count: -1),
      pickle(offset: .max, shape: [0]), pickle(shape: .ones(9), strides: .ones(9)),
      pickle(key: "1"), pickle(key: "../x"),
    ] {
      #expect(refusal(StoredZip.torch(bad).bytes).contains("found"))
    }
  }

  @Test(arguments: [
    ("cos\nsystem\n", "os.system"), ("cposix\nsystem\n", "posix.system"),
    ("c__builtin__\neval\n", "__builtin__.eval"), ("cbuiltins\ngetattr\n", "builtins.getattr"),
    ("ctorch\nload\n", "torch.load"), ("ctorch.storage\n_load_from_bytes\n", "_load_from_bytes"),
    ("cnumpy.core.multiarray\nfromfile\n", "fromfile"), ("csubprocess\nPopen\n", "Popen"),
    ("cpytorch_lightningx\nf\n", "pytorch_lightningx.f"), ("I1\n", "INT"), ("P0\n", "PERSID"),
    ("(ios\nsystem\n", "INST"), ("(o", "OBJ"), ("\u{1}", "0x1"),
  ])
  func namesAndInstructionsOutsideOfTheListAreNamed(_ program: String, _ expected: String) {
    let text = refusal(StoredZip.torch([0x80, 2] + Array(program.utf8) + [0x2E]).bytes)
    #expect(text.contains(expected), "\(text)")
  }

  @Test func stackGlobalsAreCheckedToo() {
    let program: [UInt8] =
      [0x8C, 2] + Array("os".utf8) + [0x8C, 6] + Array("system".utf8) + [0x93]
    #expect(refusal(StoredZip.torch([0x80, 4] + program + [0x2E]).bytes).contains("os.system"))
  }

  @Test(
    arguments: [
      [], [0x2E], [0x30, 0x2E], [0x74], [0x65], [0x52, 0x2E], [0x62], [0x28, 0x30], [0x71, 0],
      [0x68, 0], [0x7D, 0x4B, 1, 0x73, 0x2E], [0x4B, 1, 0x2E], [0x7D, 0x2E], [0x85],
      [0x8D, 255, 255, 255, 255, 255, 255, 255, 255], [0x8B, 255, 255, 255, 127],
      [0x58, 9, 0, 0, 0],
      [0x80, 9], [0x5D, 0x4B, 1, 0x4B, 2, 0x73, 0x2E], [0x4E, 0x51, 0x2E], [0x63, 0x61],
    ] as [[UInt8]])
  func brokenPicklesAreRefused(_ program: [UInt8]) {
    #expect(refusal(StoredZip.torch(program).bytes).contains("found"))
  }

  /// A million lists inside of each other, which would overflow the stack of anything recursive.
  @Test func deepNestingIsHarmless() {
    let depth = 1_000_000
    let program =
      [UInt8](repeating: 0x5D, count: depth) + [UInt8](repeating: 0x61, count: depth - 1) + [0x2E]
    #expect(refusal(StoredZip.torch(program).bytes).contains("a pickle of something else"))
  }

  /// A list of 10,000 pairs that 100,000 dictionaries are made of.
  @Test func shortPicklesDoNotFillTheMemory() {
    let pair: [UInt8] = [0x4B, 1, 0x4B, 2, 0x86]
    let list = [0x5D, 0x28] + [[UInt8]](repeating: pair, count: 10_000).flatMap(\.self) + [0x65]
    let start = Array("ccollections\nOrderedDict\n".utf8) + [0x71, 0, 0x30]
    let copy: [UInt8] = [0x68, 0, 0x68, 1, 0x52, 0x30]
    let copies = [[UInt8]](repeating: copy, count: 100_000).flatMap(\.self)
    let program = start + list + [0x85, 0x71, 1, 0x30] + copies + [0x2E]
    #expect(refusal(StoredZip.torch(program).bytes).contains("copies of pairs"))
  }

  /// One shape of eight axes that 120,000 tensors have.
  @Test func tensorsThatCostNothingAreCounted() {
    let program = pickle(shape: .ones(8), strides: .ones(8), copies: 120_000)
    #expect(refusal(StoredZip.torch(program).bytes).contains("copies of pairs or sizes"))
  }

  /// In portions it would be read whole again for each of them.
  @Test func transposedTensorsAreCopiedInOnePiece() throws {
    let (rows, columns) = (1100, 1000)
    var archive = StoredZip.torch(
      pickle(shape: [1100, 1000], strides: [1, 1100], count: 1_100_000))
    let numbers = (0..<rows * columns).map { Float($0) }
    archive.members[1].data = numbers.withUnsafeBytes(Array.init)
    let file = try open(archive.bytes)
    let path = folder.file("copy.safetensors")
    var portions = 0
    try SafetensorsWriter.write(
      [SafetensorsEntry("a", of: "a", in: file, as: nil)], to: path
    ) { _, _ in portions += 1 }
    #expect(portions == 1)
    let copy = try SafetensorsFile(path).tensor("a")
    #expect(copy.shape == [rows, columns])
    #expect(copy.values[1] == 1100 && copy.values[columns] == 1 && copy.values.last == numbers.last)
  }

  @Test func archivesThatLieAreRefused() {
    var twice = StoredZip.torch(pickle())
    twice.members.append(twice.members[1])
    #expect(refusal(twice.bytes).contains("twice"))
    var overlapping = StoredZip.torch(pickle())
    overlapping.members.append(.init(name: "b", data: [], headerOffset: 0))
    #expect(refusal(overlapping.bytes).contains("found"))
    for (field, expected) in [
      ({ $0.method = 8 }, "compressed"), ({ $0.flags = 1 }, "encrypted"),
      ({ $0.size = 1 << 30 }, "found"), ({ $0.size = .max }, "found"),
      ({ $0.headerOffset = 1 << 30 }, "found"), ({ $0.headerOffset = 7 }, "found"),
      ({ $0.size = 4 }, "without all of its data"), ({ $0.name = "b/data/0" }, "found"),
    ] as [((inout StoredZip.Member) -> Void, String)] {
      var archive = StoredZip.torch(pickle())
      field(&archive.members[1])
      #expect(refusal(archive.bytes).contains(expected))
    }
    #expect(refusal(StoredZip([("x", [])]).bytes).contains("data.pkl"))
    #expect(refusal(StoredZip([]).bytes).contains("found"))
  }

  /// Whatever changed bytes make of an archive, it opens with readable tensors or throws.
  @Test(arguments: ["plain.bin", "lightning.ckpt"])
  func mutatedFilesNeverCrash(_ name: String) throws {
    let path =
      URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().path
      + "/Fixtures/torch/" + name
    let good = [UInt8](try #require(FileManager.default.contents(atPath: path)))
    var random = SplitMix64(state: 11)
    var refused = 0
    for round in 0..<1_000 {
      var bytes = good
      switch round % 4 {
      case 0: bytes.removeLast(Int.random(in: 1..<bytes.count, using: &random))
      case 1: bytes.removeFirst(Int.random(in: 1..<100, using: &random))
      default:
        for _ in 0...round % 5 {
          // The pickle comes first; the directory is at the end.
          let isInFront = round % 2 == 0
          let range = isInFront ? 0..<bytes.count / 2 : bytes.count / 2..<bytes.count
          bytes[Int.random(in: range, using: &random)] = UInt8.random(in: 0...255, using: &random)
        }
      }
      guard let file = try? open(bytes) else {
        refused += 1
        continue
      }
      for key in file.keys { _ = try? file.tensor(key) }
    }
    #expect(refused > 500)
  }
}

extension [Int32] {
  fileprivate static func ones(_ count: Int) -> [Int32] { Array(repeating: 1, count: count) }
}
