/// A part of a pipeline that a LoRA file can hold adapters for.
public enum LoRAComponent: String, Sendable, CaseIterable {
  /// The denoiser.
  case unet
  /// The text encoder, the first one where there are two.
  case textEncoder = "text encoder"
  /// The second text encoder of larger models, which is read about but never attached to.
  case secondTextEncoder = "second text encoder"

  /// What kohya's names of modules start with.
  var kohyaPrefix: String {
    switch self {
    case .unet: "lora_unet_"
    case .textEncoder: "lora_te_"
    case .secondTextEncoder: "lora_te2_"
    }
  }

  /// What diffusers' names of modules start with.
  var diffusersPrefix: String {
    switch self {
    case .unet: "unet."
    case .textEncoder: "text_encoder."
    case .secondTextEncoder: "text_encoder_2."
    }
  }
}
