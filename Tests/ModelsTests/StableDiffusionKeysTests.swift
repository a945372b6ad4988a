import Checkpoints
import ComputeCore
import Foundation
import Layers
import Models
import Testing

/// Keys and shapes of Stable Diffusion 1.5 against its published list of tensors.
@Suite struct StableDiffusionKeysTests {
  /// Key → shape of one component in the list.
  private func listed(_ component: String) throws -> [String: Shape] {
    let text = try String(
      contentsOfFile: ModelFixture.folder + "/sd15_keys.tsv", encoding: .utf8)
    var shapes: [String: Shape] = [:]
    for line in text.split(separator: "\n").dropFirst() {
      let fields = line.split(separator: "\t")
      guard fields[0] == component else { continue }
      shapes[String(fields[1])] = fields[2].split { !$0.isNumber }.compactMap { Int($0) }
    }
    return shapes
  }

  private func expectListed(
    _ model: some Module, _ component: String, tensors: Int, parameters: Int
  ) throws {
    let found = model.namedParameters()
    #expect(found.count == tensors)
    #expect(model.parameterCount == parameters)
    #expect(
      Dictionary(uniqueKeysWithValues: found.map { ($0.key, $0.parameter.checkpointShape) })
        == (try listed(component)))
    // Building a model takes no memory for its weights.
    #expect(found.allSatisfy { !$0.parameter.isMaterialized })
  }

  @Test func uNet() throws {
    var config = UNetConfig()
    config.crossAttentionDim = 768
    try expectListed(
      UNet2DConditionModel(config), "unet", tensors: 686, parameters: 859_520_964)
  }

  @Test func autoencoder() throws {
    var config = AutoencoderConfig()
    config.blockOutChannels = [128, 256, 512, 512]
    config.layersPerBlock = 2
    config.downBlockTypes = [String](repeating: "DownEncoderBlock2D", count: 4)
    config.upBlockTypes = [String](repeating: "UpDecoderBlock2D", count: 4)
    try expectListed(AutoencoderKL(config), "vae", tensors: 248, parameters: 83_653_863)
  }

  @Test func textEncoder() throws {
    var config = CLIPTextConfig()
    config.hiddenSize = 768
    config.intermediateSize = 3072
    config.numAttentionHeads = 12
    try expectListed(CLIPTextModel(config), "clip", tensors: 196, parameters: 123_060_480)
  }
}
