import ArgumentParser
import Checkpoints
import ComputeCore
import Foundation
import Layers
import Models

/// A model to time with random weights: its settings and the sizes it is used at.
struct BenchNetwork {
  /// What it was asked for by.
  let name: String
  let unet: UNetConfig
  /// `nil` for a model that works on pixels.
  let autoencoder: AutoencoderConfig?
  /// Tokens per text.
  let tokens: Int

  /// Height and width of the U-Net's input.
  var side: Int { unet.sampleSize?.first ?? 64 }

  /// The network of a name or folder.
  ///
  /// - Parameter name: `sd15`, `unet25m`, `small`, or a model folder.
  /// - Returns: its settings; weights are not read.
  /// - Throws: what is wrong with the folder.
  static func named(_ name: String) throws -> BenchNetwork {
    switch name {
    case "sd15": return stableDiffusion
    case "unet25m": return smallUNet
    case "small": return try inFolder(ModelLocation.folder(nil), name: name)
    default:
      guard let folder = try? ModelLocation.folder(name) else {
        throw ValidationError(
          "--config is \(name), expected sd15, unet25m, small or a model folder.")
      }
      return try inFolder(folder, name: name)
    }
  }

  /// Stable Diffusion 1.5: 64x64 latents of pictures of 512x512.
  private static let stableDiffusion: BenchNetwork = {
    var unet = UNetConfig()
    unet.sampleSize = .one(64)
    unet.crossAttentionDim = 768
    var autoencoder = AutoencoderConfig()
    autoencoder.downBlockTypes = [String](repeating: "DownEncoderBlock2D", count: 4)
    autoencoder.upBlockTypes = [String](repeating: "UpDecoderBlock2D", count: 4)
    autoencoder.blockOutChannels = [128, 256, 512, 512]
    autoencoder.layersPerBlock = 2
    return BenchNetwork(name: "sd15", unet: unet, autoencoder: autoencoder, tokens: 77)
  }()

  /// 25.7 million parameters on 16x16 blocks of 4x4 pixels, with MiniLM's hidden states.
  private static let smallUNet: BenchNetwork = {
    var unet = UNetConfig()
    unet.sampleSize = .one(16)
    (unet.inChannels, unet.outChannels) = (48, 48)
    unet.blockOutChannels = [128, 256]
    unet.downBlockTypes = [String](repeating: "CrossAttnDownBlock2D", count: 2)
    unet.upBlockTypes = [String](repeating: "CrossAttnUpBlock2D", count: 2)
    unet.crossAttentionDim = 384
    return BenchNetwork(name: "unet25m", unet: unet, autoencoder: nil, tokens: 20)
  }()

  private static func inFolder(_ folder: String, name: String) throws -> BenchNetwork {
    let kind = settings(folder + "/vae/config.json")["_class_name"]
    let length = settings(folder + "/tokenizer/tokenizer_config.json")["model_max_length"]
      .flatMap { Int($0.description) }
    return BenchNetwork(
      name: name, unet: try UNet2DConditionModel.loadConfig(folder: folder + "/unet"),
      autoencoder: kind == .string("AutoencoderKL")
        ? try AutoencoderKL.loadConfig(folder: folder + "/vae") : nil,
      // CLIP's length where the tokenizer does not say.
      tokens: length.flatMap { (1...4096).contains($0) ? $0 : nil } ?? 77)
  }

  /// The members of a JSON object in a file; none when it cannot be read.
  private static func settings(_ path: String) -> [String: ConfigValue] {
    guard let data = try? Data(contentsOf: URL(fileURLWithPath: path)) else { return [:] }
    return (try? JSONDecoder().decode([String: ConfigValue].self, from: data)) ?? [:]
  }
}

extension Module {
  /// Fills all parameters with uniform numbers of the size they would start training with, many at
  /// once: quicker than `initialize`, and outputs stay finite.
  func fillForTiming() {
    let parameters = namedParameters().map(\.parameter)
    ThreadPool.shared.run(items: parameters.count) { index in
      let parameter = parameters[index]
      let bound: Float
      switch parameter.initialization {
      case .zeros, .ones: return
      case .uniform(let given): bound = given
      case .normal(let std): bound = std * Float(3).squareRoot()
      }
      let shape = parameter.shape
      let numbers: @Sendable () -> Tensor = {
        var generator = TorchGenerator(seed: UInt64(index))
        let x = Tensor.rand(shape, using: &generator)
        // In place: most of the time goes into pages that are used for the first time.
        let values = x.pointer
        for i in 0..<x.count { values[i] = (2 * values[i] - 1) * bound }
        return x
      }
      parameter.value = parameter.isFrozen ? Tensor(reading: shape, numbers) : numbers()
    }
  }
}
