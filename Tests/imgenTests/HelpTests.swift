import Foundation
import TestSupport
import Testing

/// The texts in `Fixtures/`; run with `IMGEN_UPDATE_SNAPSHOTS=1` to write them anew, and read the
/// difference before it is committed.
@Suite(.enabled(if: Program.exists, Program.whyNot)) struct HelpTests {
  private let folder: ScratchFolder

  init() throws { folder = try ScratchFolder() }

  @Test func helpIsAsCommitted() throws {
    let root = try Program.run(["--help"], in: folder).output
    let section = root.components(separatedBy: "SUBCOMMANDS:\n").last ?? ""
    let names = section.split(separator: "\n", omittingEmptySubsequences: false)
      .prefix { !$0.isEmpty }.filter { $0.hasPrefix("  ") && !$0.hasPrefix("   ") }
      .compactMap { $0.split(separator: " ").first.map(String.init) }
    #expect(names.contains("sample") && names.contains("train-style"))
    let nested = ["classify train", "classify test", "classify predict"]
    for name in [""] + names + nested {
      let arguments = name.split(separator: " ").map(String.init) + ["--help"]
      let outcome = try Program.run(arguments, in: folder)
      #expect(outcome.status == 0 && outcome.errors.isEmpty)
      try expect(outcome.output, toBeTheFile: fileName(name))
    }
  }

  private func fileName(_ command: String) -> String {
    "help" + (command.isEmpty ? "" : "-" + command.replacingOccurrences(of: " ", with: "-"))
  }

  @Test func noArgumentsGiveHelp() throws {
    let outcome = try Program.run([], in: folder)
    #expect(outcome.status == 0)
    #expect(outcome.output == (try Program.run(["--help"], in: folder).output))
  }

  @Test func versionIsOneLine() throws {
    let outcome = try Program.run(["--version"], in: folder)
    #expect(outcome.output.hasPrefix("imgen-"))
    #expect(outcome.output.count { $0 == "\n" } == 1)
  }

  private func expect(_ text: String, toBeTheFile name: String) throws {
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("Fixtures/\(name).txt")
    if ProcessInfo.processInfo.environment["IMGEN_UPDATE_SNAPSHOTS"] != nil {
      try Data(text.utf8).write(to: file)
    }
    let committed = try? String(contentsOf: file, encoding: .utf8)
    #expect(text == committed, "Fixtures/\(name).txt; IMGEN_UPDATE_SNAPSHOTS=1 writes it anew")
  }
}
