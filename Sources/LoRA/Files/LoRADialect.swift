/// How a LoRA file names its tensors.
public enum LoRADialect: String, Sendable, CaseIterable {
  /// Flattened paths with `lora_down`, `lora_up` and `alpha`; also LoCon's convolutions.
  case kohya
  /// `unet.` and `text_encoder.` paths with `lora_A` and `lora_B`.
  case diffusers
  /// diffusers before its adapters came from peft: `lora.down`, `lora_linear_layer`, processors.
  case oldDiffusers = "diffusers before 0.22"
  /// What peft itself saves, `base_model.model.` paths, with `adapter_config.json` beside it.
  case peft = "PEFT"
  /// A convolution split into three; recognised only.
  case tucker = "LoCon with Tucker decomposition"
  /// Weight-decomposed adapters; recognised only.
  case dora = "DoRA"
  /// Products of Hadamard type; recognised only.
  case loha = "LoHa"
  /// Products of Kronecker type; recognised only.
  case lokr = "LoKr"
  /// Whole differences of weights; recognised only.
  case difference = "weight differences"
  /// Biases of the adapters' own; recognised only.
  case biased = "LoRA with biases"

  /// Whether files of this dialect can be attached to a model.
  public var isSupported: Bool {
    switch self {
    case .kohya, .diffusers, .oldDiffusers, .peft: true
    case .tucker, .dora, .loha, .lokr, .difference, .biased: false
    }
  }
}
