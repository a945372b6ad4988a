import Checkpoints
import ComputeCore
import Layers

/// A small autoencoder that stands in for a large one: no attention, no norms, no randomness.
///
/// It was made for quick previews; its latents are those that the denoiser works on, scaled.
/// Source: madebyollin/taesd; keys and order of operations as in diffusers
/// `models/autoencoders/autoencoder_tiny.py` and `vae.py`, `EncoderTiny` and `DecoderTiny`.
public final class AutoencoderTiny: ConfiguredModule {
  /// The settings it was built from.
  public let config: AutoencoderTinyConfig
  let encoder: TinyLayers
  let decoder: TinyLayers

  /// Name of its weight files without extension.
  public static let weightsName = "diffusion_pytorch_model"

  /// diffusers' own names.
  public static let keyMap = KeyMap.identity

  /// Builds the model without values.
  public init(_ config: AutoencoderTinyConfig) throws(ConfigError) {
    try config.validate()
    guard let activation = TinyActivation(named: config.actFn) else {
      throw ConfigError("act_fn", found: config.actFn, expected: "relu, silu, swish or gelu")
    }
    self.config = config
    encoder = TinyLayers(encoderOf: config, activation)
    decoder = TinyLayers(decoderOf: config, activation)
  }

  /// `x` `[N, H, W, inChannels]` in [-1, 1] → latents `[N, h, w, latentChannels]`.
  public func encode(_ x: Tensor) -> Tensor {
    encoder((x + 1) / 2)
  }

  /// Latents `z` `[N, h, w, latentChannels]`, which are limited smoothly to [-3, 3] → pictures
  /// `[N, H, W, outChannels]`, about [-1, 1].
  public func decode(_ z: Tensor) -> Tensor {
    decoder(tanh(z / 3) * 3) * 2 - 1
  }
}

/// Layers after each other, numbered in checkpoints.
final class TinyLayers: Module {
  let layers: [any TinyLayer]

  init(encoderOf config: AutoencoderTinyConfig, _ activation: TinyActivation) {
    let channels = config.encoderBlockOutChannels
    var layers: [any TinyLayer] = []
    for (level, blocks) in config.numEncoderBlocks.enumerated() {
      layers.append(
        level == 0
          ? TinyConvolution(config.inChannels, channels[0])
          : TinyConvolution(channels[level], channels[level], stride: 2, bias: false))
      for _ in 0..<blocks {
        layers.append(AutoencoderTinyBlock(channels[level], activation: activation))
      }
    }
    layers.append(TinyConvolution(channels[channels.count - 1], config.latentChannels))
    self.layers = layers
  }

  init(decoderOf config: AutoencoderTinyConfig, _ activation: TinyActivation) {
    let channels = config.decoderBlockOutChannels
    var layers: [any TinyLayer] = [TinyConvolution(config.latentChannels, channels[0]), activation]
    for (level, blocks) in config.numDecoderBlocks.enumerated() {
      for _ in 0..<blocks {
        layers.append(AutoencoderTinyBlock(channels[level], activation: activation))
      }
      if level < channels.count - 1 {
        layers.append(TinyUpsample())
        layers.append(TinyConvolution(channels[level], channels[level], bias: false))
      } else {
        layers.append(TinyConvolution(channels[level], config.outChannels))
      }
    }
    self.layers = layers
  }

  /// `x` `[N, H, W, C]` → `[N, H', W', C']`.
  func callAsFunction(_ x: Tensor) -> Tensor {
    layers.reduce(x) { $1($0) }
  }
}
