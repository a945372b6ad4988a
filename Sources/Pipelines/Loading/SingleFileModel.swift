import Checkpoints
import ComputeCore
import Diffusion
import Foundation
import Models

/// A Stable Diffusion 1 or 2 checkpoint in one file: settings deduced, weights not read yet.
package struct SingleFileModel {
  /// The file, taken apart.
  package let checkpoint: SingleFileCheckpoint
  /// Settings of the U-Net.
  package let unetConfig: UNetConfig
  /// Weights of the U-Net in diffusers' names.
  package let unet: CheckpointPart
  /// Settings of the VAE, `nil` when the file has none.
  package let autoencoderConfig: AutoencoderConfig?
  /// Weights of the VAE in diffusers' names.
  package let autoencoder: CheckpointPart
  /// Settings of the text encoder, `nil` when the file has none.
  package let textEncoderConfig: CLIPTextConfig?
  /// Weights of the text encoder in transformers' names.
  package let textEncoder: CheckpointPart

  /// The path of the file.
  package var path: String { checkpoint.source.path }

  /// Takes a file apart.
  ///
  /// - Throws: `CheckpointError` when it is of another kind or lacks tensors that tell its sizes.
  package init(
    _ source: any TensorSource, weights: SingleFileCheckpoint.Weights = .trained
  ) throws(CheckpointError) {
    checkpoint = try SingleFileCheckpoint(source)
    unet = try checkpoint.unet(weights)
    unetConfig = try UNetConfig(deducedFrom: unet)
    autoencoder = try checkpoint.autoencoder()
    autoencoderConfig =
      autoencoder.keys.isEmpty ? nil : try AutoencoderConfig(deducedFrom: autoencoder)
    textEncoder = try checkpoint.textEncoderPart()
    if let kind = checkpoint.textEncoder {
      textEncoderConfig = try CLIPTextConfig(deducedFrom: textEncoder, kind: kind)
    } else {
      textEncoderConfig = nil
    }
  }

  /// Whether it is one of the distilled models that take one step, going by its name.
  package var isTurbo: Bool { GenerationDefaults.isTurbo(name: path) }

  /// What the denoiser puts out.
  ///
  /// From most to least certain: what the caller says, what the file's metadata or marks say,
  /// Stable Diffusion 1 and models for inpainting (always noise), the training step of Stable
  /// Diffusion 2 base, and else an experiment with the denoiser.
  ///
  /// - Throws: `CheckpointError` when the denoiser has to be tried and cannot be loaded.
  package func prediction(_ given: PredictionType?) throws(CheckpointError) -> PredictionType {
    let metadata = checkpoint.source.metadata
    if let given { return given }
    if let name = metadata["modelspec.prediction_type"]?.lowercased() {
      if name.hasPrefix("v") { return .v }
      if name.hasPrefix("eps") { return .epsilon }
    }
    if checkpoint.source.shape(of: "v_pred") != nil { return .v }
    if checkpoint.textEncoder != .openClip || unetConfig.isForInpainting || isTurbo {
      return .epsilon
    }
    if metadata["global_step"] == "875000" { return .epsilon }
    let model = try UNet2DConditionModel.load(
      unetConfig, from: unet, settingsFrom: path, isFrozen: true)
    return Self.predictsVelocity(model) ? .v : .epsilon
  }

  /// Whether a denoiser gives something unlike its input at the noisiest timestep, where what it
  /// gives is nearly its input if that is the noise.
  ///
  /// Source: AUTOMATIC1111 `modules/sd_models_config.py`, `is_using_v_parameterization_for_sd2`,
  /// with its input, text and threshold.
  package static func predictsVelocity(_ unet: UNet2DConditionModel) -> Bool {
    let x = Tensor(repeating: 0.5, [1, 8, 8, unet.config.inChannels])
    let text = Tensor(repeating: 0.5, [1, 2, unet.config.crossAttentionDim])
    let y = Compute.withoutRecording { unet(x, timesteps: [999], encoderHiddenStates: text) }
    let sum = zip(y.values, x.values).reduce(0.0) { $0 + Double($1.0 - $1.1) }
    return sum / Double(y.count) < -1
  }

  /// The noise that models of this kind were trained with.
  package func scheduler(_ prediction: PredictionType) -> SchedulerConfig {
    var config = SchedulerConfig.stableDiffusion
    config.predictionType = prediction
    if isTurbo { config.timestepSpacing = .trailing }
    return config
  }

  /// Side of the pictures it was trained on, in latents: 96 for Stable Diffusion 2 with velocities.
  package func sampleSize(_ prediction: PredictionType) -> Int {
    let resolution = checkpoint.source.metadata["modelspec.resolution"]
    let side = resolution.flatMap { Int($0.prefix { $0.isNumber }) }
    let unit = max(1, autoencoderConfig?.downscale ?? 8)
    if let side, (64...8192).contains(side), side % unit == 0 { return side / unit }
    return prediction == .v && checkpoint.textEncoder == .openClip ? 96 : 64
  }
}
