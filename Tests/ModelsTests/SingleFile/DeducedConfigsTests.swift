import Checkpoints
import ComputeCore
import Foundation
import Layers
import Models
import Testing

/// All 1,130 tensors of Stable Diffusion 1.5 by name and shape, without any numbers.
private struct ListedTensors: TensorSource {
  let path = "sd15_keys.tsv"
  let metadata: [String: String] = [:]
  private(set) var shapes: [String: Shape] = [:]

  /// The tensors of one part in diffusers' names.
  init(_ part: String) throws {
    let table = try String(contentsOfFile: ModelFixture.folder + "/sd15_keys.tsv", encoding: .utf8)
    for line in table.split(separator: "\n").dropFirst() {
      let fields = line.split(separator: "\t").map(String.init)
      guard fields[0] == part else { continue }
      let numbers = fields[2].filter { $0.isNumber || $0 == "," }.split(separator: ",")
      let key = part == "clip" ? KeyMap.clipText(fields[1]) : fields[1]
      shapes[key ?? fields[1]] = numbers.compactMap { Int($0) }
    }
  }

  mutating func set(_ key: String, _ shape: Shape) { shapes[key] = shape }
  var keys: [String] { shapes.keys.sorted() }
  func shape(of key: String) -> Shape? { shapes[key] }
  func dtype(of key: String) -> SafetensorsDType? { shapes[key] == nil ? nil : .f16 }
  func read(
    _ key: String, _ range: Range<Int>, into target: UnsafeMutableRawPointer
  ) throws(CheckpointError) {
    throw .unreadable(file: path, reason: "there are no numbers")
  }
}

@Suite struct DeducedConfigsTests {
  private func expectFit(_ model: some Module, _ source: ListedTensors) {
    let parameters = model.namedParameters()
    #expect(Set(parameters.map(\.key)) == Set(source.keys))
    for (key, parameter) in parameters {
      let listed = source.shape(of: key) ?? []
      #expect(listed.reduce(1, *) == parameter.count && listed.first == parameter.shape.first)
    }
  }

  @Test func theUNetOfStableDiffusion1() throws {
    let source = try ListedTensors("unet")
    let config = try UNetConfig(deducedFrom: source)
    #expect(config.blockOutChannels == [320, 640, 1280, 1280])
    #expect(config.crossAttentionDim == 768 && config.attentionHeadDim == .one(8))
    #expect(config.layersPerBlock == .one(2) && config.normNumGroups == 32)
    #expect(config.downBlockTypes == UNetConfig().downBlockTypes)
    #expect(config.upBlockTypes == UNetConfig().upBlockTypes)
    #expect(!config.useLinearProjection && !config.isForInpainting)
    let model = try UNet2DConditionModel(config)
    expectFit(model, source)
    #expect(model.parameterCount == 859_520_964)
  }

  @Test func stableDiffusion2HasHeadsOf64() throws {
    var source = try ListedTensors("unet")
    for (key, shape) in source.shapes {
      if key.contains("attn2.to_k") || key.contains("attn2.to_v") {
        source.set(key, [shape[0], 1024])
      } else if key.hasSuffix("proj_in.weight") || key.hasSuffix("proj_out.weight") {
        source.set(key, Array(shape.prefix(2)))
      }
    }
    let config = try UNetConfig(deducedFrom: source)
    #expect(config.attentionHeadDim == .list([5, 10, 20, 20]) && config.useLinearProjection)
    #expect(try UNet2DConditionModel(config).parameterCount == 865_910_724)
  }

  @Test func nineChannelsAreForInpainting() throws {
    var source = try ListedTensors("unet")
    source.set("conv_in.weight", [320, 9, 3, 3])
    #expect(try UNetConfig(deducedFrom: source).isForInpainting)
  }

  @Test func theOtherPartsOfStableDiffusion1() throws {
    let vae = try ListedTensors("vae")
    let config = try AutoencoderConfig(deducedFrom: vae)
    #expect(config.blockOutChannels == [128, 256, 512, 512] && config.layersPerBlock == 2)
    let model = try AutoencoderKL(config)
    expectFit(model, vae)
    #expect(model.parameterCount == 83_653_863)
    let text = try ListedTensors("clip")
    let encoder = try CLIPTextModel(CLIPTextConfig(deducedFrom: text, kind: .clip))
    expectFit(encoder, text)
    #expect(encoder.parameterCount == 123_060_480)
    #expect(encoder.config.numAttentionHeads == 12 && encoder.config.hiddenAct == "quick_gelu")
  }

  /// The count is transformers' for the text encoder of Stable Diffusion 2.
  @Test func theTextEncoderOfStableDiffusion2() throws {
    var config = CLIPTextConfig()
    (config.hiddenSize, config.intermediateSize, config.numAttentionHeads) = (1024, 4096, 16)
    (config.numHiddenLayers, config.hiddenAct) = (23, "gelu")
    #expect(try CLIPTextModel(config).parameterCount == 340_387_840)
  }

  @Test func whatIsMissingIsNamed() throws {
    for part in ["unet", "vae", "clip"] {
      #expect(throws: CheckpointError.self) {
        _ = try UNetConfig(deducedFrom: ListedTensors(part == "unet" ? "vae" : part))
      }
    }
  }
}
