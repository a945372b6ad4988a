import Foundation
import TestSupport
import Testing

/// The `imgen` that was built with the tests, run as users run it.
enum Program {
  /// Beside the running test bundle, or where `swift build -c release` puts it.
  static let path: String = {
    let bundle = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
    let beside = bundle.deletingLastPathComponent().appendingPathComponent("imgen").path
    if FileManager.default.isExecutableFile(atPath: beside) { return beside }
    var root = URL(fileURLWithPath: #filePath)
    for _ in 0..<4 { root.deleteLastPathComponent() }
    return root.appendingPathComponent(".build/release/imgen").path
  }()

  /// Whether there is one.
  static let exists = FileManager.default.isExecutableFile(atPath: path)

  /// For `.enabled(if:)`.
  static let whyNot: Comment = "there is no imgen beside the tests; build it with swift build"

  /// What a run came to.
  struct Outcome {
    let status: Int32
    let output: String
    let errors: String
  }

  /// Runs to the end.
  static func run(
    _ arguments: [String], in folder: ScratchFolder, environment: [String: String] = [:]
  ) throws -> Outcome {
    try Running(arguments, in: folder, environment: environment).outcome()
  }

  /// A run that has begun.
  final class Running {
    private let process = Process()
    private let output: String
    private let errors: String

    init(
      _ arguments: [String], in folder: ScratchFolder, environment: [String: String] = [:]
    ) throws {
      let name = NSTemporaryDirectory() + "imgen-run-" + UUID().uuidString
      (output, errors) = (name + ".out", name + ".err")
      process.executableURL = URL(fileURLWithPath: Program.path)
      process.arguments = arguments
      process.currentDirectoryURL = URL(fileURLWithPath: folder.path)
      process.environment = ["PATH": "/usr/bin:/bin", "COLUMNS": "80"]
        .merging(environment) { $1 }
      for path in [output, errors] { try Data().write(to: URL(fileURLWithPath: path)) }
      process.standardOutput = FileHandle(forWritingAtPath: output)
      process.standardError = FileHandle(forWritingAtPath: errors)
      process.standardInput = FileHandle.nullDevice
      try process.run()
    }

    deinit {
      if process.isRunning { process.terminate() }
      for path in [output, errors] { try? FileManager.default.removeItem(atPath: path) }
    }

    var isRunning: Bool { process.isRunning }

    func send(_ signal: Int32) { kill(process.processIdentifier, signal) }

    /// Waits for the end.
    func outcome() throws -> Outcome {
      process.waitUntilExit()
      return Outcome(
        status: process.terminationStatus,
        output: String(decoding: try bytes(output), as: UTF8.self),
        errors: String(decoding: try bytes(errors), as: UTF8.self))
    }
  }
}

/// A folder with a tiny model that can draw (`model`), the parts it is trained from (`parts`) and
/// eight pictures with captions (`photos`).
struct Workshop {
  let folder: ScratchFolder

  init() throws {
    folder = try ScratchFolder()
    try TinyModelFolder.write(to: folder("parts"))
    try TinyModelFolder.writePhotos(8, side: 64, to: folder("photos"))
    try expectSuccess(
      "train photos --model parts --from-scratch --steps 2 --batch 2 --out run --sheet-every 0 -q")
    try FileManager.default.moveItem(atPath: folder("run/model"), toPath: folder("model"))
    try FileManager.default.removeItem(atPath: folder("run"))
  }

  /// Runs a command whose arguments have no spaces; `-q` stands for `--quiet`.
  func run(_ command: String) throws -> Program.Outcome {
    try Program.run(arguments(command), in: folder)
  }

  /// Starts a command.
  func start(_ command: String) throws -> Program.Running {
    try Program.Running(arguments(command), in: folder)
  }

  /// Runs a command that must succeed.
  @discardableResult
  func expectSuccess(_ command: String, sourceLocation: SourceLocation = #_sourceLocation) throws
    -> Program.Outcome
  {
    let outcome = try run(command)
    #expect(
      outcome.status == 0, "imgen \(command): \(outcome.errors)", sourceLocation: sourceLocation)
    return outcome
  }

  private func arguments(_ command: String) -> [String] {
    command.split(separator: " ").map { $0 == "-q" ? "--quiet" : String($0) }
  }

  /// Everything in the folder, with sizes.
  func listing() throws -> [String] {
    let names = FileManager.default.enumerator(atPath: folder.path)?.compactMap { $0 as? String }
    return try (names ?? []).sorted().map { name in
      let attributes = try FileManager.default.attributesOfItem(atPath: folder(name))
      return "\(name) \(attributes[.size] ?? "")"
    }
  }
}
