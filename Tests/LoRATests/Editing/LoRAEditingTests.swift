import Checkpoints
import ComputeCore
import Foundation
import LoRA
import TestSupport
import Testing

@Suite struct LoRAEditingTests {
  private let folder: ScratchFolder

  init() throws { folder = try ScratchFolder() }

  @Test func mergedFileDoesWhatAllDoTogether() throws {
    let sources = [("locon", Float(0.7)), ("locon_tucker", -0.5), ("norms", 2), ("full", 0.25)]
    let layers = try FormLayers()
    let stack = LoRAStack([.unet: layers])
    var weighted: [WeightedLoRA] = []
    for (name, weight) in sources {
      let file = try LoRAFile(fixturePath("forms/\(name).safetensors"))
      _ = try stack.attach(file, strength: weight)
      // `full` has weights as well, which do not go with thin matrices in one adapter.
      if name != "full" { weighted.append(WeightedLoRA(file, weight: weight)) }
    }
    let native = try LoRAFile(fixturePath("forms/peft_bias/adapter_model.safetensors"))
    _ = try stack.attach(native, strength: 1.5)
    weighted.append(WeightedLoRA(native, weight: 1.5))
    let report = try LoRAWriter.merge(weighted, to: folder("sum.safetensors"))
    #expect(report.isEmpty)
    let merged = try FormLayers()
    let both = LoRAStack([.unet: merged])
    _ = try both.attach(LoRAFile(folder("sum.safetensors")))
    _ = try both.attach(LoRAFile(fixturePath("forms/full.safetensors")), strength: 0.25)
    let expected = try layers.outputs()
    for (name, y) in try merged.outputs() {
      expectClose(y, try #require(expected[name]), tolerance: 3e-6, name)
    }
    let summary = try LoRAFile.inspect(folder("sum.safetensors"))
    #expect(summary.ranks == [3, 6, 9] || summary.ranks == [3, 6])
    #expect(summary.isHashValid == true)
  }

  @Test func mergedRankCanBeLimited() throws {
    let file = try LoRAFile(fixturePath("forms/locon.safetensors"))
    let limits = try RankLimits(rank: 3)
    // Twice the same adapter has no higher rank than once.
    let report = try LoRAWriter.merge(
      [WeightedLoRA(file, weight: 0.5), WeightedLoRA(file, weight: 0.25)],
      to: folder("sum.safetensors"), limits: limits)
    #expect(report.count == 4)
    #expect(report.allSatisfy { $0.oldRank == 6 && $0.newRank == 3 })
    #expect(report.allSatisfy { $0.normKept > 0.999_999 && $0.sumKept > 0.999_999 })
    try expectSame("sum", as: file, strength: 0.75)
  }

  @Test func sumOfDifferentModelsOrFormsIsRefused() throws {
    try SafetensorsWriter.write(
      [
        SafetensorsEntry("lora_unet_lin.lora_down.weight", Tensor.ones([1, 13])),
        SafetensorsEntry("lora_unet_lin.lora_up.weight", Tensor.ones([8, 1])),
      ], to: folder("other.safetensors"))
    let first = WeightedLoRA(try LoRAFile(fixturePath("forms/locon.safetensors")))
    for path in [folder("other.safetensors")]
      + ["loha", "lokr", "dora_out"].map({ fixturePath("forms/\($0).safetensors") })
    {
      let second = WeightedLoRA(try LoRAFile(path))
      #expect(throws: LoRAError.self, "\(path)") {
        try LoRAWriter.merge([first, second], to: folder("x.safetensors"))
      }
    }
    #expect(try folder.names(in: "") == ["other.safetensors"])
  }

  @Test(arguments: ["kohya", "peft", "diffusers"])
  func resizingToTheSameRankChangesNothing(_ name: String) throws {
    let path = folder("new.safetensors")
    let report = try LoRAFile(fixturePath("with_conv/\(name).safetensors")).resize(
      to: path, limits: RankLimits(rank: 8))
    #expect(report.count == 79)
    #expect(report.allSatisfy { $0.newRank <= 4 && $0.normKept > 0.999_999 })
    let unet = try TinyUNet("with_conv")
    _ = try LoRAFile(path).attach(to: [.unet: unet.model])
    expectClose(try unet.output(), try unet.io.tensor("y_scale1"), tolerance: 2e-5)
    #expect(try SafetensorsFile(path).metadata["ss_training_comment"]?.contains("resized") == true)
  }

  @Test func lowerRankKeepsWhatItSays() throws {
    let file = try LoRAFile(fixturePath("forms/locon.safetensors"))
    let path = folder("small.safetensors")
    let report = try file.resize(to: path, limits: RankLimits(rank: 2, convolutionRank: 1))
    let small = try SafetensorsFile(path)
    for adapter in report {
      let name = adapter.name.replacing("unet.", with: "lora_unet_")
      let isConvolution = name == "lora_unet_conv"
      #expect(adapter.oldRank == 3 && adapter.newRank == (isConvolution ? 1 : 2))
      // What is lost is orthogonal to what is kept, in the sense of the Frobenius norm.
      let old = try product(file.path, name)
      let new = try product(path, name)
      let kept = new.map { $0 * $0 }.reduce(0, +) / old.map { $0 * $0 }.reduce(0, +)
      #expect(abs(kept.squareRoot() - adapter.normKept) < 1e-5, "\(name)")
      let lost = zip(old, new).map { ($0 - $1) * ($0 - $1) }.reduce(0, +)
      #expect(abs(kept + lost / old.map { $0 * $0 }.reduce(0, +) - 1) < 1e-5)
      let alpha = try small.tensor(name + ".alpha").item
      #expect(alpha == Float(adapter.newRank) * 0.5, "alpha / rank stays")
    }
  }

  @Test func resultsDoNotDependOnThreads() throws {
    let file = try LoRAFile(fixturePath("with_conv/kohya.safetensors"))
    for threads in [1, 3] {
      try Compute.with {
        $0.threads = threads
      } _: {
        _ = try file.resize(
          to: folder("\(threads).safetensors"), limits: RankLimits(rank: 3, rule: .frobenius(0.9)))
      }
    }
    #expect(try bytes(folder("1.safetensors")) == bytes(folder("3.safetensors")))
  }

  @Test func formsWithoutThinMatricesAreNotResized() throws {
    for name in ["loha", "lokr", "dora_in"] {
      #expect(throws: LoRAError.self) {
        try LoRAFile(fixturePath("forms/\(name).safetensors")).resize(
          to: folder("x.safetensors"), limits: RankLimits(rank: 1))
      }
    }
    #expect(try folder.names(in: "").isEmpty)
  }

  @Test(
    arguments: [
      ["down": [4, 8, 1, 1], "up": [8, 4, 3, 3]], ["down": [4, 12], "up": [0, 4]],
      ["down": [4, 4, 3, 3], "mid": [4, 4, 3, 3], "up": [6, 4, 1, 1]],
      ["down": [4, 4, 1, 1], "mid": [4, 4, 0, 3], "up": [6, 4, 1, 1]],
      ["down": [4, 4, 1, 1], "mid": [4, 4, 3, 3], "up": [6, 4, 3, 3]],
    ] as [[String: Shape]])
  func matricesOfOddShapesAreRefused(_ shapes: [String: Shape]) throws {
    try SafetensorsWriter.write(
      shapes.map { SafetensorsEntry("lora_unet_a.lora_\($0.key).weight", Tensor.ones($0.value)) },
      to: folder("odd.safetensors"))
    let file = try LoRAFile(folder("odd.safetensors"))
    #expect(throws: LoRAError.self) {
      try file.resize(to: folder("x.safetensors"), limits: RankLimits(rank: 1))
    }
    #expect(throws: LoRAError.self) {
      try LoRAWriter.merge([WeightedLoRA(file)], to: folder("x.safetensors"))
    }
    #expect(try folder.names(in: "") == ["odd.safetensors"])
  }

  @Test func mergedTextEncodersHaveTheirWholeNames() throws {
    let layer = "text_encoder.encoder.layers.0.mlp.fc1"
    try SafetensorsWriter.write(
      [
        SafetensorsEntry("\(layer).lora_A.weight", Tensor.ones([1, 4])),
        SafetensorsEntry("\(layer).lora_B.weight", Tensor.ones([4, 1])),
      ], to: folder("text.safetensors"))
    _ = try LoRAWriter.merge(
      [WeightedLoRA(try LoRAFile(folder("text.safetensors")))], to: folder("sum.safetensors"))
    let keys = try SafetensorsFile(folder("sum.safetensors")).keys
    #expect(keys.contains("lora_te_text_model_encoder_layers_0_mlp_fc1.lora_up.weight"), "\(keys)")
  }

  @Test func limitsThatMeanNothingAreRefused() {
    for rank in [0, -1] { #expect(throws: LoRAError.self) { try RankLimits(rank: rank) } }
    let rules: [RankRule] = [
      .ratio(0.5), .ratio(.nan), .frobenius(0), .frobenius(1.1), .cumulative(-1), .cumulative(.nan),
    ]
    for rule in rules {
      #expect(throws: LoRAError.self, "\(rule)") { try RankLimits(rank: 1, rule: rule) }
    }
  }

  /// The product of an adapter's matrices times alpha / rank, in 64 bits.
  private func product(_ path: String, _ name: String) throws -> [Double] {
    let file = try SafetensorsFile(path)
    let up = try file.tensor(name + ".lora_up.weight")
    let down = try file.tensor(name + ".lora_down.weight")
    let (rank, out) = (down.shape[0], up.shape[0])
    let columns = down.count / rank
    let scale = Double(try file.tensor(name + ".alpha").item) / Double(rank)
    let (a, b) = (up.values.map(Double.init), down.values.map(Double.init))
    return (0..<out * columns).map { index in
      (0..<rank).reduce(0) {
        $0 + a[index / columns * rank + $1] * b[$1 * columns + index % columns]
      } * scale
    }
  }

  private func expectSame(_ name: String, as file: LoRAFile, strength: Float) throws {
    let (first, second) = (try FormLayers(), try FormLayers())
    _ = try LoRAFile(folder("\(name).safetensors")).attach(to: [.unet: first])
    _ = try file.attach(to: [.unet: second], strength: strength)
    let expected = try second.outputs()
    for (layer, y) in try first.outputs() {
      expectClose(y, try #require(expected[layer]), tolerance: 5e-6, layer)
    }
  }
}
