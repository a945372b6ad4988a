import Checkpoints
import ComputeCore
import Layers

/// A U-Net that predicts the noise in a picture (or whatever it was trained to) at a timestep,
/// led by the hidden states of a text.
///
/// Source: Rombach et al. 2022, arXiv:2112.10752; keys and order of operations as in diffusers
/// `models/unets/unet_2d_condition.py`, `UNet2DConditionModel`.
public final class UNet2DConditionModel: ConfiguredModule {
  /// The settings it was built from.
  public let config: UNetConfig
  /// Whether blocks compute their activations again for the gradient instead of keeping them.
  public var usesGradientCheckpointing = false

  let convIn: Conv2d
  let timeEmbedding: TimestepEmbedding
  let downBlocks: [UNetDownBlock]
  let midBlock: UNetMidBlock
  let upBlocks: [UNetUpBlock]
  let convNormOut: GroupNorm
  let convOut: Conv2d
  private let timeProj: Timesteps

  /// Name of its weight files without extension.
  public static let weightsName = "diffusion_pytorch_model"

  /// diffusers' own names.
  public static let keyMap = KeyMap.identity

  /// Builds the model without values.
  public init(_ config: UNetConfig) throws(ConfigError) {
    let levels = try config.levels()
    let inner = config.blockOutChannels[0]
    let tembChannels = 4 * inner
    self.config = config
    timeProj = Timesteps(
      inner, flipSinToCos: config.flipSinToCos, freqShift: Float(config.freqShift))
    convIn = Conv2d(config.inChannels, inner, kernelSize: 3, padding: 1)
    timeEmbedding = TimestepEmbedding(inner, tembChannels)
    downBlocks = levels.indices.map { i in
      UNetDownBlock(
        levels[max(0, i - 1)].channels, level: levels[i], tembChannels: tembChannels,
        config: config, isLast: i == levels.count - 1)
    }
    midBlock = UNetMidBlock(
      level: levels[levels.count - 1], tembChannels: tembChannels, config: config)
    upBlocks = levels.indices.reversed().map { i in
      UNetUpBlock(
        levels[min(i + 1, levels.count - 1)].channels,
        outerChannels: levels[max(0, i - 1)].channels, level: levels[i],
        tembChannels: tembChannels, config: config, isLast: i == 0)
    }
    convNormOut = GroupNorm(inner, groups: config.normNumGroups, eps: config.normEps)
    convOut = Conv2d(inner, config.outChannels, kernelSize: 3, padding: 1)
  }

  /// - Parameters:
  ///   - sample: `[N, H, W, inChannels]`, any height and width.
  ///   - timesteps: one for all pictures or one for each, 0…999, may be fractional.
  ///   - encoderHiddenStates: `[N, S, crossAttentionDim]`; needed where blocks have attention.
  ///   - encoderAttentionMask: `[N, S]`, 1 where a text position counts and 0 where not.
  /// - Returns: `[N, H, W, outChannels]`.
  public func callAsFunction(
    _ sample: Tensor, timesteps: [Float], encoderHiddenStates: Tensor? = nil,
    encoderAttentionMask: Tensor? = nil
  ) -> Tensor {
    checkInputs(sample, timesteps, encoderHiddenStates)
    let n = sample.shape[0]
    let all = timesteps.count == n ? timesteps : [Float](repeating: timesteps[0], count: n)
    // Every residual block applies SiLU to the embedding first, so it is done once here.
    let conditioning = UNetConditioning(
      temb: silu(timeEmbedding(timeProj(all))), encoderHiddenStates: encoderHiddenStates,
      encoderAttentionMask: encoderAttentionMask, isCheckpointed: usesGradientCheckpointing)
    var x = convIn(sample)
    var skips = [x]
    for block in downBlocks {
      let (result, new) = block(x, conditioning)
      x = result
      skips += new
    }
    x = midBlock(x, conditioning)
    for block in upBlocks {
      // The next level's size, which is not twice this one's when that was odd.
      let size = skips.dropLast(block.resnets.count).last.map {
        (height: $0.shape[1], width: $0.shape[2])
      }
      x = block(x, skips: &skips, conditioning, size: size)
    }
    return convOut(convNormOut.thenSilu(x, output: Compute.factorType))
  }

  private func checkInputs(_ sample: Tensor, _ timesteps: [Float], _ context: Tensor?) {
    precondition(
      sample.rank == 4 && sample.shape[3] == config.inChannels,
      "UNet: sample must be [N, H, W, \(config.inChannels)], got \(sample.shape)")
    precondition(
      timesteps.count == 1 || timesteps.count == sample.shape[0],
      "UNet: \(timesteps.count) timesteps for \(sample.shape[0]) pictures")
    let hasAttention =
      config.hasMidAttention || downBlocks.contains { !$0.attentions.isEmpty }
      || upBlocks.contains { !$0.attentions.isEmpty }
    precondition(
      !hasAttention || (context?.rank == 3 && context?.shape.first == sample.shape[0]),
      "UNet: encoderHiddenStates must be [\(sample.shape[0]), S, C]")
  }
}
