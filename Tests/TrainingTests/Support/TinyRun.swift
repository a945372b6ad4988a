import Checkpoints
import ComputeCore
import Datasets
import Diffusion
import Layers
import Models
import Pipelines
import TestSupport
import Testing
import Training

/// Four tokens of three numbers that follow from the letters of a text; the last one is masked.
struct LetterConditioner: TextConditioner {
  let tokens = 4
  let channels = 3
  var isMasked = true

  func encode(_ texts: [String]) -> Conditioning {
    let states = texts.flatMap { text -> [Float] in
      var generator = SplitMix64(seed: text.utf8.reduce(7) { $0 &* 31 &+ UInt64($1) })
      return (0..<tokens * channels).map { _ in Float(generator.unit() * 2 - 1) }
    }
    let mask = texts.flatMap { _ -> [Float] in [1, 1, 1, 0] }
    return Conditioning(
      states: Tensor(states, [texts.count, tokens, channels]),
      mask: isMasked ? Tensor(mask, [texts.count, tokens]) : nil)
  }

  func truncatedCount(_ text: String) -> Int { 0 }
}

/// A U-Net with two levels for blocks of 2 x 2 pixels and the texts of `LetterConditioner`.
func tinyUNet(seed: UInt64 = 1) throws -> UNet2DConditionModel {
  var config = UNetConfig()
  (config.inChannels, config.outChannels) = (12, 12)
  config.blockOutChannels = [8, 16]
  config.downBlockTypes = ["CrossAttnDownBlock2D", "DownBlock2D"]
  config.upBlockTypes = ["UpBlock2D", "CrossAttnUpBlock2D"]
  config.layersPerBlock = .one(1)
  config.normNumGroups = 4
  config.crossAttentionDim = 3
  config.attentionHeadDim = .one(2)
  let unet = try UNet2DConditionModel(config)
  var generator = TorchGenerator(seed: seed)
  unet.initialize(using: &generator)
  return unet
}

/// Makes the last layer put out `value` everywhere, whatever comes in.
func makeConstant(_ unet: UNet2DConditionModel, _ value: Float) {
  for (key, parameter) in unet.namedParameters() where key.hasPrefix("conv_out.") {
    parameter.value = Tensor(repeating: key.hasSuffix("bias") ? value : 0, parameter.shape)
  }
}

/// The same latents of two samples in every batch.
struct ConstantBatches: DiffusionBatches {
  let value: Float

  func batch(_ index: Int) -> DiffusionBatch {
    DiffusionBatch(
      latents: Tensor(repeating: value, [2, 4, 4, 12]),
      conditioning: LetterConditioner().encode(["a", "b"]))
  }
}

/// A scheduler config with a prediction type.
func scheduler(_ prediction: PredictionType) -> SchedulerConfig {
  var config = SchedulerConfig.stableDiffusion
  config.predictionType = prediction
  return config
}

/// Everything of a run on four generated pictures, made anew.
struct TinyRun {
  let unet: UNet2DConditionModel
  let optimizer: AdamW
  var trainer: DiffusionTrainer

  /// A run over `steps` steps on the pictures in `photos`, from a stored state if there is one.
  init(
    photos: String, steps: Int, rate: Float = 5e-3, isVaried: Bool = true,
    state: TrainingState? = nil
  ) throws {
    unet = try tinyUNet()
    var settings = CaptionedBatches.Config()
    (settings.batchSize, settings.size) = (4, 16)
    if !isVaried { (settings.captionDropout, settings.flips) = (0, false) }
    let batches = try CaptionedBatches(
      CaptionedFolder(photos), conditioner: LetterConditioner(),
      codec: SpaceToDepthCodec(blockSize: 2), settings, seed: 3)
    optimizer = AdamW(
      unet.namedParameters().filter { !$0.parameter.isFrozen }, AdamW.Config())
    try state?.restore(optimizer)
    trainer = DiffusionTrainer(
      unet, try DiffusionObjective(scheduler(.sample), .minVelocitySNR), batches, optimizer,
      WarmupCosine(peak: rate, warmup: 3, total: steps), accumulation: 2, seed: 5,
      startingAfter: state?.step ?? 0)
  }
}
