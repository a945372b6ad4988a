import ArgumentParser
import Checkpoints
import ComputeCore
import Models

/// Runs a model's U-Net once on tensors from a file, for comparison with other programs.
struct DenoiseCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "denoise", abstract: "Run a U-Net once on the tensors of a file.",
    discussion: """
      Reads sample [N, H, W, C], timestep [N], encoder_hidden_states [N, S, C] and, if there, \
      encoder_attention_mask [N, S]; writes y [N, H, W, C]. Used by scripts/peers.
      """, shouldDisplay: false)

  @Argument(help: "safetensors file with the inputs.")
  var input: String

  @Argument(help: "safetensors file to write.")
  var output: String

  @Option(help: "Model folder, or the name of one in checkpoints/.")
  var model: String?

  @OptionGroup var compute: ComputeOptions

  func run() throws {
    let folder = try ModelLocation.folder(model) + "/unet"
    let unet = try UNet2DConditionModel.load(folder: folder)
    let file = try SafetensorsFile(input)
    let sample = try file.tensor("sample")
    let timesteps = try file.tensor("timestep").values
    let states = try file.tensor("encoder_hidden_states")
    let mask =
      file.keys.contains("encoder_attention_mask")
      ? try file.tensor("encoder_attention_mask") : nil
    guard sample.rank == 4, sample.shape[3] == unet.config.inChannels,
      timesteps.count == sample.shape[0], states.rank == 3, states.shape[0] == sample.shape[0],
      states.shape[2] == unet.config.crossAttentionDim
    else {
      throw ValidationError(
        "\(input): sample \(sample.shape), timestep [\(timesteps.count)] and encoder_hidden_states "
          + "\(states.shape) do not fit a U-Net of \(unet.config.inChannels) channels and texts of "
          + "\(unet.config.crossAttentionDim)")
    }
    let y = compute.run(defaultPrecision: .float32) {
      Compute.withoutRecording {
        unet(
          sample, timesteps: timesteps, encoderHiddenStates: states, encoderAttentionMask: mask)
      }
    }
    try SafetensorsWriter.write([SafetensorsEntry("y", y)], to: output)
  }
}
