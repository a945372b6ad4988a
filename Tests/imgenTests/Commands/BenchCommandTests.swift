import Foundation
import TestSupport
import Testing

@Suite(.enabled(if: Program.exists, Program.whyNot)) struct BenchCommandTests {
  private let shop: Workshop

  init() throws { shop = try Workshop() }

  private func json(_ text: String) throws -> [String: Any] {
    try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
  }

  @Test(arguments: ["unet", "train", "lora"]) func aStepOfATinyModelIsTimed(_ work: String) throws {
    let outcome = try shop.expectSuccess(
      "bench \(work) --config model --steps 3 --batch 2 --precision f32 --threads 1 --json")
    let report = try json(outcome.output)
    #expect(Set(report.keys) == ["networks"])
    let networks = try #require(report["networks"] as? [[String: Any]])
    let network = try #require(networks.first)
    #expect(networks.count == 1)
    #expect(network["work"] as? String == work && network["config"] as? String == "model")
    #expect(network["precision"] as? String == "f32" && network["threads"] as? Int == 1)
    #expect(network["batch"] as? Int == 2 && network["steps"] as? Int == 3)
    #expect(network["tokens"] as? Int == 12)
    for key in [
      "parameters", "median_seconds_per_step", "peak_tensor_bytes", "peak_process_bytes",
    ] {
      let value = try #require(network[key] as? Double, "\(key)")
      #expect(value > 0, "\(key)")
    }
    #expect((network["teraflops_per_second"] == nil) == (work != "unet"))
  }

  @Test func kernelsAreComparedWithTheLimit() throws {
    let outcome = try shop.expectSuccess("bench kernels --repeats 1 --json")
    let report = try json(outcome.output)
    #expect(Set(report.keys) == ["kernels", "processor"])
    let limits = try #require(report["processor"] as? [[String: Any]])
    #expect(limits.last?["instruction_set"] as? String == "plain")
    let kernels = try #require(report["kernels"] as? [[String: Any]])
    #expect(kernels.count { $0["pass"] as? String == "forward" } == 13)
    #expect(kernels.count { $0["pass"] as? String == "forward+backward" } == 2)
    for kernel in kernels {
      let share = try #require(kernel["share_of_limit"] as? Double)
      #expect(share > 0 && share.isFinite, "\(kernel)")
    }
  }

  @Test func tablesHaveALinePerKindOfWork() throws {
    let outcome = try shop.expectSuccess("bench unet --config model --steps 1")
    let lines = outcome.output.split(separator: "\n")
    #expect(lines.count == 2)
    #expect(lines.first?.hasPrefix("work   config") == true)
    #expect(lines.last?.hasPrefix("unet   model") == true)
  }

  @Test func aProfileIsATableAndATrace() throws {
    let arguments = [
      "bench", "train", "--config", "model", "--steps", "2", "--batch", "2", "--quiet",
    ]
    let outcome = try Program.run(arguments, in: shop.folder, environment: ["IMGEN_PROFILE": "1"])
    #expect(outcome.status == 0 && outcome.output.isEmpty)
    let lines = outcome.errors.split(separator: "\n").map {
      $0.split(separator: " ").map(String.init)
    }
    #expect(lines.first?.first == "operation")
    for (name, direction) in [
      ("conv2d", "forward"), ("conv2d", "backward"), ("linear", "forward"),
      ("linear", "backward"), ("groupNorm", "backward"), ("adamW", "forward"),
    ] {
      #expect(lines.contains { $0.starts(with: [name, direction]) }, "\(name) \(direction)")
    }
    #expect(lines.last == ["trace:", "imgen-trace.json"])
    let trace = try json(
      try String(contentsOfFile: shop.folder("imgen-trace.json"), encoding: .utf8))
    let events = try #require(trace["traceEvents"] as? [[String: Any]])
    let calls = lines.compactMap { $0.count == 6 ? Int($0[2]) : nil }
    #expect(events.count >= calls.reduce(0, +) && !calls.isEmpty)
    #expect(events.allSatisfy { $0["ph"] as? String == "X" && $0["dur"] is Double })
  }

  @Test func aProfileGoesWhereItIsWanted() throws {
    let arguments = ["bench", "unet", "--config", "model", "--steps", "1", "--quiet"]
    let elsewhere = try Program.run(
      arguments, in: shop.folder, environment: ["IMGEN_PROFILE": "here.json"])
    #expect(elsewhere.errors.hasSuffix("trace: here.json\n"))
    #expect(FileManager.default.fileExists(atPath: shop.folder("here.json")))
    let unwritable = try Program.run(
      arguments, in: shop.folder, environment: ["IMGEN_PROFILE": "no/folder.json"])
    #expect(unwritable.status == 0 && unwritable.errors.contains("cannot be written to no/folder"))
    let before = try shop.listing()
    for off in ["", "0"] {
      let outcome = try Program.run(
        arguments, in: shop.folder, environment: ["IMGEN_PROFILE": off])
      #expect(outcome.status == 0 && outcome.errors.isEmpty)
    }
    #expect(try shop.listing() == before)
  }
}
