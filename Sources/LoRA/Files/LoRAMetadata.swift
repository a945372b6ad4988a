import Foundation

/// What a LoRA file says about itself besides its tensors.
///
/// Source: the `ss_` keys of kohya-ss/sd-scripts `train_network.py`, and Stability AI's
/// `modelspec.` keys, version 1.0.1.
public struct LoRAMetadata: Sendable {
  /// The model that the adapters change.
  public enum BaseModel: Sendable, Equatable {
    /// Stable Diffusion 1.x.
    case stableDiffusion1
    /// Stable Diffusion 2.x, which predicts noise or, in its 768-pixel version, velocity.
    case stableDiffusion2(isVelocity: Bool)
    /// Any other model, by the name of its architecture.
    case other(String)

    var version: String {
      switch self {
      case .stableDiffusion1: "sd_v1"
      case .stableDiffusion2(let isVelocity): isVelocity ? "sd_v2_v" : "sd_v2"
      case .other(let name): name
      }
    }

    var architecture: String {
      switch self {
      case .stableDiffusion1: "stable-diffusion-v1"
      case .stableDiffusion2(let isVelocity):
        isVelocity ? "stable-diffusion-v2-768-v" : "stable-diffusion-v2-512"
      case .other(let name): name
      }
    }

    var predictionType: String {
      self == .stableDiffusion2(isVelocity: true) ? "v" : "epsilon"
    }

    var isVersion2: Bool {
      if case .stableDiffusion2 = self { true } else { false }
    }
  }

  /// What the LoRA is called.
  public var title: String?
  /// The model that the adapters change.
  public var baseModel: BaseModel?
  /// File or folder name of the base model.
  public var baseModelName: String?
  /// SHA-256 of the base model's file.
  public var baseModelHash: String?
  /// What the base model predicts, `epsilon` or `v`; follows from `baseModel` when left out.
  public var predictionType: String?
  /// Width and height of the pictures it was trained with.
  public var resolution: (width: Int, height: Int)?
  /// The word that calls up what was learnt.
  public var triggerPhrase: String?
  /// Who made it.
  public var author: String?
  /// What it is for.
  public var description: String?
  /// Under what terms it may be used.
  public var license: String?
  /// Words to find it by.
  public var tags: [String] = []
  /// When it was made.
  public var date: Date?
  /// How it was trained.
  public var training: LoRATrainingRecord?
  /// Further keys, which win over those that follow from the rest.
  public var extra: [String: String] = [:]

  /// Says nothing yet.
  public init() {}

  /// All keys and values, without those that depend on the tensors.
  func values() -> [String: String] {
    var values = training?.values() ?? [:]
    values["ss_output_name"] = title
    values["ss_sd_model_name"] = baseModelName
    values["ss_new_sd_model_hash"] = baseModelHash
    if let resolution {
      values["ss_resolution"] = "(\(resolution.width), \(resolution.height))"
      values["modelspec.resolution"] = "\(resolution.width)x\(resolution.height)"
    }
    values["modelspec.sai_model_spec"] = "1.0.1"
    values["modelspec.implementation"] = "diffusers"
    values["modelspec.title"] = title
    values["modelspec.author"] = author
    values["modelspec.description"] = description
    values["modelspec.license"] = license
    values["modelspec.trigger_phrase"] = triggerPhrase
    values["modelspec.tags"] = tags.isEmpty ? nil : tags.joined(separator: ",")
    values["modelspec.date"] = date.map { $0.formatted(.iso8601) }
    if let baseModel {
      values["ss_base_model_version"] = baseModel.version
      values["ss_v2"] = python(baseModel.isVersion2)
      values["modelspec.architecture"] = baseModel.architecture + "/lora"
    }
    values["modelspec.prediction_type"] = predictionType ?? baseModel?.predictionType
    return values.merging(extra) { $1 }
  }
}

/// How a LoRA was trained; what is left out is written as `None`, as kohya does.
public struct LoRATrainingRecord: Sendable {
  /// Seconds since 1970 when training began.
  public var startedAt: Double?
  /// Seconds since 1970 when training ended.
  public var finishedAt: Double?
  /// Distinguishes runs.
  public var sessionID: Int?
  /// The learning rate where nothing else is said.
  public var learningRate: Double?
  /// The learning rate of the U-Net.
  public var unetLearningRate: Double?
  /// The learning rate of the text encoder.
  public var textEncoderLearningRate: Double?
  /// Name of the learning-rate schedule.
  public var learningRateScheduler: String?
  /// Steps until the learning rate is reached.
  public var warmupSteps: Int?
  /// Name of the optimizer with its settings, `AdamW(weight_decay=0.01)`.
  public var optimizer: String?
  /// Number of training pictures.
  public var trainImages: Int?
  /// Batches that show every picture once.
  public var batchesPerEpoch: Int?
  /// Epochs that were planned.
  public var epochs: Int?
  /// Epochs that were done.
  public var epoch: Int?
  /// Steps that were done.
  public var steps: Int?
  /// Steps that were planned.
  public var maxTrainSteps: Int?
  /// Pictures in a batch.
  public var batchSize: Int?
  /// Batches between two steps.
  public var gradientAccumulationSteps: Int?
  /// Whether activations were computed again for the gradient.
  public var gradientCheckpointing: Bool?
  /// `no`, `fp16` or `bf16`.
  public var mixedPrecision: String?
  /// Seed of the random numbers.
  public var seed: UInt64?
  /// Layers of the text encoder that were skipped.
  public var clipSkip: Int?
  /// Scale of the noise that is the same all over a picture.
  public var noiseOffset: Double?
  /// Bound of the weights of the loss (arXiv:2303.09556).
  public var minSNRGamma: Double?
  /// Name of the loss.
  public var lossType: String?
  /// How often captions were left out.
  public var captionDropoutRate: Double?
  /// Norm that gradients were clipped to.
  public var maxGradNorm: Double?
  /// Whether pictures were mirrored.
  public var flipAugmentation: Bool?
  /// Whether pictures were cropped at random places.
  public var randomCrop: Bool?
  /// Whether pictures were sorted by shape.
  public var enableBucket: Bool?
  /// Words of whoever trained it.
  public var comment: String?

  /// Says nothing yet.
  public init() {}

  func values() -> [String: String] {
    [
      "ss_training_started_at": python(startedAt), "ss_training_finished_at": python(finishedAt),
      "ss_session_id": python(sessionID), "ss_learning_rate": python(learningRate),
      "ss_unet_lr": python(unetLearningRate), "ss_text_encoder_lr": python(textEncoderLearningRate),
      "ss_lr_scheduler": python(learningRateScheduler), "ss_lr_warmup_steps": python(warmupSteps),
      "ss_optimizer": python(optimizer), "ss_num_train_images": python(trainImages),
      "ss_num_batches_per_epoch": python(batchesPerEpoch), "ss_num_epochs": python(epochs),
      "ss_epoch": python(epoch), "ss_steps": python(steps),
      "ss_max_train_steps": python(maxTrainSteps), "ss_batch_size_per_device": python(batchSize),
      "ss_total_batch_size": python(batchSize.map { $0 * (gradientAccumulationSteps ?? 1) }),
      "ss_gradient_accumulation_steps": python(gradientAccumulationSteps),
      "ss_gradient_checkpointing": python(gradientCheckpointing),
      "ss_mixed_precision": python(mixedPrecision), "ss_seed": python(seed),
      "ss_clip_skip": python(clipSkip), "ss_noise_offset": python(noiseOffset),
      "ss_min_snr_gamma": python(minSNRGamma), "ss_loss_type": python(lossType),
      "ss_caption_dropout_rate": python(captionDropoutRate),
      "ss_max_grad_norm": python(maxGradNorm), "ss_flip_aug": python(flipAugmentation),
      "ss_random_crop": python(randomCrop), "ss_enable_bucket": python(enableBucket),
      "ss_training_comment": python(comment),
    ]
  }
}

/// A value as Python's `str` writes it, which is how these keys hold booleans and nothing.
private func python(_ value: (some CustomStringConvertible)?) -> String {
  switch value {
  case .none: "None"
  case .some(let flag as Bool): flag ? "True" : "False"
  case .some(let value): value.description
  }
}
