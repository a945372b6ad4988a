import Foundation
import TestSupport
import Testing

/// Runs that are stopped in every way, against one that is not.
@Suite(.enabled(if: Program.exists, Program.whyNot)) struct TrainCommandTests {
  private let shop: Workshop
  private static let steps = 60
  private static let weights = "model/unet/diffusion_pytorch_model.safetensors"
  /// A state after every step: most of the time is spent on writing one.
  private let command =
    "train photos --model parts --from-scratch --steps \(steps) --batch 2 --warmup 5 "
    + "--state-every 0 --sheet-every 0"

  init() throws { shop = try Workshop() }

  @Test func aRunThatIsKilledAgainAndAgainEndsAsAnUninterruptedOne() throws {
    try shop.expectSuccess("\(command) --out straight --threads 1")
    var kills = 0
    for attempt in 0..<8 {
      let before = try states("killed")
      let running = try shop.start("\(command) --out killed")
      // The first is killed at any time, the others within a few steps of their first state.
      while attempt > 0, running.isRunning, try states("killed") == before {
        Thread.sleep(forTimeInterval: 0.001)
      }
      Thread.sleep(forTimeInterval: .random(in: 0...0.05))
      kills += running.isRunning ? 1 : 0
      running.send(SIGKILL)
      let outcome = try running.outcome()
      #expect(!outcome.errors.contains("state-"), "the newest state can always be read")
    }
    #expect(kills >= 3, "the run was killed while it trained")
    let last = try shop.expectSuccess("\(command) --out killed")
    #expect(!last.errors.contains("state-"))
    try expectSame("killed")
    #expect(
      try shop.folder.names(in: "killed") == [
        "loss.csv", "loss.png", "model", "run.json", "samples", "state-00000059.safetensors",
        "state-00000060.safetensors",
      ])
  }

  @Test func controlCSavesAndSaysHowToGoOn() throws {
    try shop.expectSuccess("\(command) --out straight")
    let running = try shop.start("\(command) --out stopped --state-every 1000")
    // The signal is taken over once training begins, which settings on disk announce.
    while running.isRunning,
      !FileManager.default.fileExists(atPath: shop.folder("stopped/run.json"))
    {
      Thread.sleep(forTimeInterval: 0.002)
    }
    Thread.sleep(forTimeInterval: 0.03)
    running.send(SIGINT)
    let outcome = try running.outcome()
    try #require(outcome.status == 130, "\(outcome.output) \(outcome.errors)")
    #expect(outcome.output.hasSuffix("Stopped and saved. Go on with the same command.\n"))
    #expect(try states("stopped").count == 1)
    #expect(!FileManager.default.fileExists(atPath: shop.folder("stopped/model")))
    let next = try shop.expectSuccess("\(command) --out stopped")
    #expect(next.output.hasPrefix("Going on with step "))
    try expectSame("stopped")
  }

  @Test func aDamagedStateIsPassedOverAloud() throws {
    try shop.expectSuccess("\(command) --out straight")
    try FileManager.default.copyItem(
      atPath: shop.folder("straight"), toPath: shop.folder("damaged"))
    let newest = shop.folder("damaged/state-00000060.safetensors")
    try Data(bytes(newest).dropLast()).write(to: URL(fileURLWithPath: newest))
    let outcome = try shop.expectSuccess("\(command) --out damaged")
    #expect(outcome.errors.contains("state-00000060.safetensors"))
    #expect(outcome.errors.contains("Going on with the state before it.\n"))
    #expect(outcome.output.hasPrefix("Going on with step 60 of"))
    try expectSame("damaged")
  }

  @Test func aRunDoesNotGoOnWithOtherSettings() throws {
    try shop.expectSuccess("\(command) --out run")
    let before = try shop.listing()
    let outcome = try shop.run("\(command) --out run --batch 3 --seed 4")
    #expect(outcome.status != 0)
    #expect(outcome.errors.contains("batch was 2, is 3; seed was 1, is 4."))
    #expect(try shop.listing() == before)
  }

  /// What a run noted down before its first state does not bind the next one.
  @Test func aRunWithoutStateStartsAnew() throws {
    try shop.expectSuccess("\(command) --out run")
    for name in try states("run") {
      try FileManager.default.removeItem(atPath: shop.folder("run/\(name)"))
    }
    let outcome = try shop.expectSuccess("\(command) --out run --steps 2 --seed 9 --json")
    let object = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8))
    let report = try #require(object as? [String: Any])
    #expect(report["steps"] as? Int == 2)
    #expect(report["is_finished"] as? Bool == true)
    #expect(report["model"] as? String == "run/model")
    #expect(try states("run").last == "state-00000002.safetensors")
  }

  /// Speed is measured over the first steps; what is left of the time gives the number of steps.
  @Test func withoutStepsARunTakesTheTimeItIsGiven() throws {
    let command =
      "train photos --model parts --from-scratch --minutes 0.03 --batch 2 --sheet-every 0 --out run"
    let outcome = try shop.expectSuccess("\(command) --json")
    let object = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8))
    let report = try #require(object as? [String: Any])
    let settings = try JSONSerialization.jsonObject(with: Data(bytes(shop.folder("run/run.json"))))
    let steps = try #require(report["steps"] as? Int)
    #expect(steps > 40)
    #expect((settings as? [String: Any])?["totalSteps"] as? Int == steps)
    let again = try shop.expectSuccess("\(command)")
    #expect(again.output.contains("The model is in run/model"), "a finished run stays finished")
  }

  @Test func sheetsAreDrawn() throws {
    try shop.expectSuccess(
      "train photos --model model --steps 2 --batch 2 --out run --sheet-every 100 -q")
    #expect(try shop.folder.names(in: "run/samples") == ["step-000002.png"])
  }

  private func states(_ run: String) throws -> [String] {
    let names = (try? shop.folder.names(in: run)) ?? []
    return names.filter { $0.hasPrefix("state-") }
  }

  /// Weights and state of a run equal those of the straight one, byte for byte.
  private func expectSame(_ run: String) throws {
    for name in [Self.weights, "state-00000060.safetensors", "model/unet/config.json"] {
      #expect(
        try bytes(shop.folder("\(run)/\(name)")) == bytes(shop.folder("straight/\(name)")),
        "\(name) of \(run)")
    }
  }
}
