import Foundation
import ImageIO
import TestSupport
import Testing

/// Small GANs trained and used from the command line.
@Suite(.enabled(if: Program.exists, Program.whyNot)) struct GANCommandTests {
  private let shop: Workshop
  private let command =
    "gan train classes --steps 40 --batch 8 --channels 8 --size 16 --state-every 0 "
    + "--sheet-every 0 --quality-every 0"

  init() throws {
    shop = try Workshop()
    for name in ["bright", "dark"] {
      let folder = shop.folder("classes/\(name)")
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      for index in 0..<12 {
        let level = UInt8((name == "dark" ? 10 : 200) + 3 * index)
        try Image(width: 24, height: 20, color: RGB(level, level, level))
          .writePNG(to: "\(folder)/\(index).png")
      }
    }
  }

  @Test func trainingLeavesAModelThatDraws() throws {
    let outcome = try shop.expectSuccess(
      "gan train classes --steps 30 --batch 8 --channels 8 --size 16 --sheet-every 0.01 "
        + "--quality-every 0.01 --out run --json")
    #expect(outcome.output.contains("\"quality_name\" : \"FD-pixels\""))
    let names = try shop.folder.names(in: "run")
    for file in ["history.csv", "learning.png", "logits.png", "loss.png", "quality.png"] {
      #expect(names.contains(file), "\(file) is missing among \(names)")
    }
    try shop.expectSuccess("gan sample run --count 7 --out sheet.png")
    #expect(try Image(contentsOf: shop.folder("sheet.png")).width > 100)
    try shop.expectSuccess("gan sample run --class dark --count 3 --no-grid --out single")
    #expect(try shop.folder.names(in: "single/dark") == ["1.png", "2.png", "3.png"])
    #expect(try Image(contentsOf: shop.folder("single/dark/1.png")).width == 16)
    try shop.expectSuccess("gan walk run/model --rows 2 --frames 4 --stops 2 --out walk.png")
    #expect(try shop.folder.names(in: ".").contains("walk-animated.png"))
  }

  /// A picture depends on its seed, not on what is drawn with it, nor on the threads.
  @Test func samplesFollowFromTheirSeeds() throws {
    try shop.expectSuccess("\(command) --out run")
    try shop.expectSuccess("gan sample run --class 1 --seed 4 --count 3 --no-grid --out three")
    try shop.expectSuccess(
      "gan sample run --class 1 --seed 5 --count 1 --no-grid --out one --threads 1")
    #expect(
      try bytes(shop.folder("three/dark/5.png")) == bytes(shop.folder("one/dark/5.png")))
  }

  @Test func aRunThatIsKilledEndsAsAnUninterruptedOne() throws {
    try shop.expectSuccess("\(command) --out straight --threads 1")
    var kills = 0
    for _ in 0..<4 {
      let before = try states("killed")
      let running = try shop.start("\(command) --out killed")
      while running.isRunning, try states("killed") == before {
        Thread.sleep(forTimeInterval: 0.001)
      }
      kills += running.isRunning ? 1 : 0
      running.send(SIGKILL)
      _ = try running.outcome()
    }
    #expect(kills >= 2, "the run was killed between its first state and its end")
    try shop.expectSuccess("\(command) --out killed")
    for name in ["model/generator.safetensors", "model/discriminator.safetensors", "history.csv"] {
      #expect(
        try bytes(shop.folder("killed/\(name)")) == bytes(shop.folder("straight/\(name)")),
        "\(name) differs")
    }
  }

  @Test func aRunByTimeTakesItsTime() throws {
    let outcome = try shop.expectSuccess(
      "gan train classes --minutes 0.05 --batch 8 --channels 8 --size 16 --sheet-every 0 "
        + "--quality-every 0 --out timed --json")
    let steps = outcome.output.firstMatch(of: /"steps" : (\d+)/).flatMap { Int($0.1) } ?? 0
    #expect(steps > 30, "\(steps) steps in three seconds")
  }

  /// Names of the states of a run.
  private func states(_ run: String) throws -> [String] {
    guard FileManager.default.fileExists(atPath: shop.folder(run)) else { return [] }
    return try shop.folder.names(in: run).filter { $0.hasPrefix("state-") && $0.hasSuffix("s") }
  }

  @Test(arguments: [
    ("gan train nowhere", "nowhere"),
    ("gan train empty", "empty"),
    ("gan train lonely", "at least 2"),
    ("gan train classes --batch 1", "expected 2 to 4096"),
    ("gan train classes --size 5", "expected 8 to 256"),
    ("gan train classes --gamma 0", "--penalty none"),
    ("gan train classes --size 18 --steps 1 --out odd --loss unheard-of", "relativistic"),
    ("gan sample nowhere", "nowhere"),
  ])
  func whatCannotWorkIsSaid(_ command: String, _ words: String) throws {
    try FileManager.default.createDirectory(
      atPath: shop.folder("empty"), withIntermediateDirectories: true)
    try FileManager.default.createDirectory(
      atPath: shop.folder("lonely"), withIntermediateDirectories: true)
    try FileManager.default.copyItem(
      atPath: shop.folder("classes/dark/1.png"), toPath: shop.folder("lonely/1.png"))
    let outcome = try shop.run(command)
    #expect(outcome.status != 0 && outcome.errors.contains(words), "\(outcome.errors)")
    #expect(outcome.output.isEmpty)
  }

  @Test func classesAndSettingsAreChecked() throws {
    try shop.expectSuccess("\(command) --out run")
    let wrong = try shop.run("gan sample run --class cat")
    #expect(wrong.status != 0 && wrong.errors.contains("0 bright, 1 dark"), "\(wrong.errors)")
    let other = try shop.run("\(command) --gamma 3 --out run")
    #expect(other.status != 0 && other.errors.contains("other settings"), "\(other.errors)")
  }
}
