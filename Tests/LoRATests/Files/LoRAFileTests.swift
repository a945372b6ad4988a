import Checkpoints
import ComputeCore
import Foundation
import Layers
import LoRA
import Models
import TestSupport
import Testing

@Suite struct LoRAFileTests {
  static let name = "lora_unet_mid_block_attentions_0_transformer_blocks_0_attn1_to_q"
  static let path = "mid_block.attentions.0.transformer_blocks.0.attn1.to_q"

  @Test(arguments: [
    ("kohya", LoRADialect.kohya), ("peft", .diffusers), ("diffusers", .oldDiffusers),
  ])
  func summaryTellsWhatIsInside(_ file: String, _ dialect: LoRADialect) throws {
    let summary = try LoRAFile.inspect(fixturePath("with_conv/\(file).safetensors"))
    #expect(summary.dialect == dialect)
    #expect(summary.ranks == [4])
    #expect(summary.alphas == [dialect == .oldDiffusers ? 4 : 2])
    #expect(summary.dtypes == [.f32])
    #expect(summary.isHashValid == nil)
    #expect(summary.baseModel == (dialect == .kohya ? "sd_v1" : nil))
    let counts = summary.modules.map { "\($0.component.rawValue) \($0.kind) \($0.count)" }
    #expect(
      counts == [
        "unet attention 32", "unet convolutions 23", "unet feed-forward 8", "unet projections 8",
        "unet time-projections 8",
      ])
  }

  @Test func summaryOfPeftsOwnFileKnowsItsSettings() throws {
    let summary = try LoRAFile.inspect(fixturePath("attention/peft_native.safetensors"))
    #expect(summary.dialect == .peft)
    #expect(summary.alphas == [2])
    #expect(summary.modules == [.init(component: .unet, kind: "attention", count: 32)])
  }

  @Test func missingAlphaMeansScaleOne() throws {
    try withFile(pair(Self.name)) { path in
      let unet = try TinyUNet()
      let network = try LoRAFile(path).attach(to: [.unet: unet.model]).networks[0]
      #expect(network.namedAdapters.map(\.path) == [Self.path])
      #expect(network.namedAdapters[0].adapter.scale == 1)
    }
  }

  @Test func attentionProcessorKeysAreRead() throws {
    let root = "mid_block.attentions.0.transformer_blocks.0.attn1.processor."
    let entries = ["to_q", "to_out"].flatMap { name in
      [
        SafetensorsEntry("\(root)\(name)_lora.down.weight", Tensor.ones([1, 8])),
        SafetensorsEntry("\(root)\(name)_lora.up.weight", Tensor.ones([8, 1])),
      ]
    }
    try withFile(entries) { path in
      let file = try LoRAFile(path)
      #expect(file.dialect == .oldDiffusers)
      let network = try file.attach(to: [.unet: try TinyUNet().model]).networks[0]
      #expect(network.namedAdapters.map(\.path) == [Self.path, Self.path.dropLast(1) + "out.0"])
    }
  }

  @Test(arguments: ["lora_te_", "lora_te1_"])
  func textEncoderKeysAreAppliedOrReported(_ prefix: String) throws {
    let entries =
      pair(Self.name) + pair(prefix + "text_model_encoder_layers_0_self_attn_q_proj", 4)
    try withFile(entries) { path in
      let (unet, text) = (try TinyUNet().model, TextEncoder())
      let alone = try LoRAFile(path).attach(to: [.unet: unet])
      #expect(alone.networks.map(\.component) == [.unet])
      #expect(alone.skippedKeys.count == 2)
      #expect(alone.skippedKeys.allSatisfy { $0.hasPrefix(prefix) })
      let both = try LoRAFile(path).attach(to: [.unet: unet, .textEncoder: text])
      #expect(both.skippedKeys.isEmpty)
      #expect(
        both.networks.last?.namedAdapters.map(\.path) == [
          "text_model.encoder.layers.0.self_attn.q_proj"
        ])
    }
  }

  @Test func fileWithNothingForTheGivenModelsIsRefused() throws {
    let key = "text_encoder_2.encoder.layers.0.self_attn.q_proj"
    let entries = [
      SafetensorsEntry("\(key).lora_linear_layer.down.weight", Tensor.ones([1, 4])),
      SafetensorsEntry("\(key).lora_linear_layer.up.weight", Tensor.ones([4, 1])),
    ]
    try withFile(entries) { path in
      let model = try TinyUNet().model
      let error = #expect(throws: LoRAError.self) { try LoRAFile(path).attach(to: [.unet: model]) }
      #expect(error?.description.contains(key) == true)
    }
  }

  @Test func keysThatTheModelLacksAreNamedAndNothingIsAttached() throws {
    try withFile(pair(Self.name) + pair("lora_unet_no_such_to_q")) { path in
      let unet = try TinyUNet()
      let error = #expect(throws: LoRAError.self) {
        try LoRAFile(path).attach(to: [.unet: unet.model])
      }
      #expect(
        error
          == .mismatch(
            file: path,
            unmatched: ["down", "up"].map { "lora_unet_no_such_to_q.lora_\($0).weight" },
            wrongShapes: []))
      #expect(unet.model.trainableParameters().count == unet.model.namedParameters().count)
    }
  }

  @Test func tensorsThatDoNotFitAreNamed() throws {
    try withFile(pair(Self.name, 9)) { path in
      let model = try TinyUNet().model
      let error = #expect(throws: LoRAError.self) {
        try LoRAFile(path).attach(to: [.unet: model])
      }
      #expect(error?.description.contains("[1, 9], expected [1, 8]") == true)
    }
  }

  @Test(arguments: [
    [".hada_w1_a"], [".lokr_w1", ".lokr_w2_a"],
    [".lokr_w1", ".lokr_w1_a", ".lokr_w1_b", ".lokr_w2"],
    [".dora_scale"], [".lora_mid.weight", ".lora_down.weight"], [".diff", ".dora_scale"],
    [".diff", ".lora_up.weight", ".lora_down.weight"], [".w_norm", ".diff"],
    [".hada_w1_a", ".hada_w1_b", ".hada_w2_a", ".hada_w2_b", ".hada_t2"],
    [".lokr_w1", ".lokr_w2", ".lokr_t2"],
  ])
  func tensorsThatDoNotGoTogetherAreRefused(_ suffixes: [String]) throws {
    let entries = suffixes.map { SafetensorsEntry(Self.name + $0, Tensor.ones([2, 2])) }
    try withFile(entries) { path in
      let error = #expect(throws: LoRAError.self) { try LoRAFile(path) }
      guard case .incomplete = error else {
        Issue.record("\(suffixes): \(String(describing: error))")
        return
      }
      #expect(error?.description.contains("attn1_to_q") == true)
    }
  }

  @Test func strangeTensorsAreNamed() throws {
    for key in ["conv_in.weight", "lora_unet_x.strange", "lora_unet_x", "unet.x.lora_C.weight"] {
      try withFile(pair(Self.name) + [SafetensorsEntry(key, Tensor.ones([1]))]) { path in
        #expect(throws: LoRAError.unrecognized(file: path, keys: [key])) { try LoRAFile(path) }
      }
    }
  }

  @Test(arguments: [
    ("lora_down.weight", "x: lora_up.weight is missing"),
    ("lora_up.weight", "x: lora_down.weight is missing"),
    ("alpha", "x: there is nothing but lora_unet_x.alpha"),
  ])
  func halvesOfAdaptersAreRefused(_ suffix: String, _ words: String) throws {
    let half = SafetensorsEntry("lora_unet_x.\(suffix)", Tensor.ones([1, 1]))
    try withFile(pair(Self.name) + [half]) { path in
      #expect(throws: LoRAError.incomplete(file: path, modules: [words])) { try LoRAFile(path) }
    }
  }

  @Test func oldNamesOfTheTextEncoderAreRead() throws {
    let root = "text_encoder.text_model.encoder.layers.0.self_attn."
    let entries = ["to_q_lora", "q_proj.lora_linear_layer"].map { name in
      [
        SafetensorsEntry("\(root)\(name).down.weight", Tensor.ones([1, 4])),
        SafetensorsEntry("\(root)\(name).up.weight", Tensor.ones([4, 1])),
      ]
    }
    for pair in entries {
      try withFile(pair) { path in
        let network = try LoRAFile(path).attach(to: [.textEncoder: TextEncoder()]).networks[0]
        #expect(
          network.namedAdapters.map(\.path) == ["text_model.encoder.layers.0.self_attn.q_proj"])
      }
    }
  }

  @Test func alphaOfZeroMeansTheRank() throws {
    try withFile(pair(Self.name) + [SafetensorsEntry(Self.name + ".alpha", Tensor(0))]) { path in
      let network = try LoRAFile(path).attach(to: [.unet: try TinyUNet().model]).networks[0]
      #expect(network.namedAdapters[0].adapter.scale == 1)
    }
  }

  @Test(arguments: [[Float.nan], [.infinity], [1, 2]])
  func badAlphasAreRefused(_ alpha: [Float]) throws {
    let entry = SafetensorsEntry(Self.name + ".alpha", Tensor(alpha, [alpha.count]))
    try withFile(pair(Self.name) + [entry]) { path in
      let model = try TinyUNet().model
      #expect(throws: LoRAError.self) {
        try LoRAFile(path).attach(to: [.unet: model])
      }
    }
  }

  @Test func weightsThatAreNotFiniteAreRefused() throws {
    try withFile(pair(Self.name, fill: .nan)) { path in
      let model = try TinyUNet().model
      #expect(throws: LoRAError.self) {
        try LoRAFile(path).attach(to: [.unet: model])
      }
    }
  }

  @Test func twoTensorsForOnePlaceAreRefused() throws {
    try withFile(pair("lora_te_x") + pair("lora_te1_x")) { path in
      #expect(throws: LoRAError.self) { try LoRAFile(path) }
    }
  }

  @Test func peftSettingsGiveTheScale() throws {
    let entries = [
      SafetensorsEntry("unet.\(Self.path).lora_A.weight", Tensor.ones([4, 8])),
      SafetensorsEntry("unet.\(Self.path).lora_B.weight", Tensor.ones([8, 4])),
    ]
    for (settings, scale) in [
      ("{\"unet.lora_alpha\": 8}", Float(2)),
      ("{\"unet.lora_alpha\": 8, \"unet.use_rslora\": true}", 4),
      ("{\"unet.lora_alpha\": 8, \"unet.alpha_pattern\": {\"attn1.to_q\": 2}}", 0.5),
      ("{\"unet.lora_alpha\": 8, \"unet.alpha_pattern\": {\"n1.to_q\": 2}}", 2),
      ("{\"unet.lora_alpha\": 8, \"unet.alpha_pattern\": {\"^\(Self.path)\": 12}}", 3),
      ("{\"unet.r\": 9, \"unet.lora_alpha\": 8, \"unet.rank_pattern\": {\"to_q\": 4}}", 2),
      ("{\"text_encoder.lora_alpha\": 8}", 1),
    ] {
      try withFile(entries, metadata: ["lora_adapter_metadata": settings]) { path in
        let network = try LoRAFile(path).attach(to: [.unet: try TinyUNet().model]).networks[0]
        #expect(network.namedAdapters[0].adapter.scale == scale, "\(settings)")
      }
    }
    for settings in [
      "[]", "{\"unet.lora_alpha\": \"8\"}", "{", "{\"unet.lora_alpha\": 1e99}", "{\"unet.r\": 0}",
      "{\"unet.r\": 3, \"unet.lora_alpha\": 8}", "{\"unet.r\": 4, \"unet.use_dora\": true}",
      "{\"unet.lora_alpha\": 8, \"unet.alpha_pattern\": {\"to_(q|k)\": 2}}",
    ] {
      try withFile(entries, metadata: ["lora_adapter_metadata": settings]) { path in
        let model = try TinyUNet().model
        #expect(throws: LoRAError.self, "\(settings)") {
          try LoRAFile(path).attach(to: [.unet: model])
        }
      }
    }
  }

  @Test func peftFileNeedsItsSettings() throws {
    let name = "base_model.model.\(Self.path)"
    let entries = [
      SafetensorsEntry("\(name).lora_A.weight", Tensor.ones([1, 8])),
      SafetensorsEntry("\(name).lora_B.weight", Tensor.ones([8, 1])),
    ]
    try withFile(entries) { path in
      #expect(try LoRAFile.inspect(path).alphas == [])
      let model = try TinyUNet().model
      let error = #expect(throws: LoRAError.self) {
        try LoRAFile(path).attach(to: [.unet: model])
      }
      #expect(error?.description.contains("adapter_config.json") == true)
    }
  }
}

/// The two matrices of one adapter in kohya's dialect, with rank 1.
private func pair(_ name: String, _ size: Int = 8, fill: Float = 0.5) -> [SafetensorsEntry] {
  [
    SafetensorsEntry("\(name).lora_down.weight", Tensor(repeating: fill, [1, size])),
    SafetensorsEntry("\(name).lora_up.weight", Tensor(repeating: fill, [size, 1])),
  ]
}

private func withFile(
  _ entries: [SafetensorsEntry], metadata: [String: String] = [:], _ body: (String) throws -> Void
) throws {
  try withTemporaryFolder { folder in
    try SafetensorsWriter.write(entries, metadata: metadata, to: folder + "/a.safetensors")
    try body(folder + "/a.safetensors")
  }
}

/// The one layer of a text encoder that these tests ask for.
private final class TextEncoder: Module {
  let selfAttn = SelfAttention()
  static let keyOverrides = ["selfAttn": "text_model.encoder.layers.0.self_attn"]

  final class SelfAttention: Module {
    let qProj = Linear(4, 4)
  }
}
