import Foundation
import ImageIO
import TestSupport
import Testing

/// `imgen classify` and `imgen evaluate` on folders of small pictures.
@Suite(.enabled(if: Program.exists, Program.whyNot)) struct ClassifyCommandTests {
  private let folder: ScratchFolder
  private let command =
    "classify train data --out run --epochs 12 --batch 8 --width 4 --no-flips --shift 1"

  init() throws {
    folder = try ScratchFolder()
    for kind in ["left", "right"] {
      try FileManager.default.createDirectory(
        atPath: folder("data/\(kind)"), withIntermediateDirectories: true)
      for number in 0..<20 { try picture(kind, number, in: "data/\(kind)") }
    }
  }

  /// A bright bar at one side of a dark picture of 16x16 pixels.
  private func picture(_ kind: String, _ number: Int, in path: String) throws {
    var image = Image(width: 16, height: 16, color: RGB(20, 20, 20))
    let start = kind == "left" ? 2 : 10
    for y in 2..<14 {
      for x in start..<start + 4 {
        let level = UInt8(150 + (number * 37 + x * 11 + y * 5) % 100)
        image[x, y] = RGB(level, level, level)
      }
    }
    try image.writePNG(to: folder("\(path)/\(number).png"))
  }

  private func run(_ command: String) throws -> Program.Outcome {
    try Program.run(command.split(separator: " ").map(String.init), in: folder)
  }

  private func json(_ outcome: Program.Outcome) throws -> [String: Any] {
    #expect(outcome.status == 0, "\(outcome.errors)")
    let object = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8))
    return try #require(object as? [String: Any])
  }

  @Test func trainsTestsPredictsAndMeasures() throws {
    let trained = try json(try run("\(command) --json"))
    let test = try #require(trained["test"] as? [String: Any])
    #expect(test["accuracy"] as? Double == 1)
    #expect(
      try folder.names(in: "run").filter { !$0.hasPrefix("state-") } == [
        "accuracy.png", "config.json", "confusion.png", "loss.csv", "loss.png",
        "model.safetensors", "run.json", "samples",
      ])
    let table = try run("classify test run data --split all --out confusion.png")
    #expect(table.output.contains("left") && table.output.contains("accuracy 100.00 % of 40"))
    #expect(try ImageFile(contentsOf: folder("confusion.png")).image.width > 100)
    let predicted = try run("classify predict run data/right/3.png data/left/4.png --top 1")
    let lines = predicted.output.split(separator: "\n")
    #expect(lines.count == 2 && lines[0].contains("right") && lines[1].contains("left"))

    let same = try json(
      try run("evaluate data data --real-split all --features run --out near.png --json"))
    let report = try #require(same["report"] as? [String: Any])
    #expect((report["frechet_distance"] as? Double ?? 9) < 1e-3)
    #expect(report["real_count"] as? Int == 40 && report["network"] as? String == "run")
    #expect(try ImageFile(contentsOf: folder("near.png")).image.width > 100)
    let words = try run("evaluate data data/left --real-split all --features run --no-nearest")
    #expect(words.status == 0 && words.output.contains("FD-run"))
    #expect(words.output.contains("95 % interval"))
  }

  @Test func aRunThatIsKilledGoesOn() throws {
    let options = "\(command) --state-every 0"
    _ = try run("\(options) --threads 1")
    let weights = try bytes(folder("run/model.safetensors"))
    try FileManager.default.removeItem(atPath: folder("run"))
    var kills = 0
    for _ in 0..<6 {
      let running = try Program.Running(options.split(separator: " ").map(String.init), in: folder)
      Thread.sleep(forTimeInterval: .random(in: 0.05...0.4))
      kills += running.isRunning ? 1 : 0
      running.send(SIGKILL)
      _ = try running.outcome()
    }
    #expect(kills > 0)
    let last = try run(options)
    #expect(last.status == 0, "\(last.errors)")
    #expect(try bytes(folder("run/model.safetensors")) == weights)
    let other = try run(options.replacingOccurrences(of: "--shift 1", with: "--shift 0"))
    #expect(other.status != 0 && other.errors.contains("other settings"))
  }

  @Test(arguments: [
    ("classify train nowhere --out r", "nowhere"),
    ("classify train data/left --out r", "classes"),
    ("classify train data --out r --epochs 0", "--epochs"),
    ("classify test nowhere data", "nowhere"),
    ("classify predict nowhere x.png", "nowhere"),
    ("evaluate data data --features nowhere", "nowhere"),
    ("evaluate data data --features data/left/0.png", "0.png"),
    ("evaluate data data --features nowhere --count 2", "--count"),
  ])
  func mistakesAreNamed(_ command: String, _ word: String) throws {
    let outcome = try run(command)
    #expect(outcome.status != 0 && outcome.errors.contains(word), "\(outcome.errors)")
    #expect(outcome.errors.split(separator: "\n").count == 1)
  }
}
