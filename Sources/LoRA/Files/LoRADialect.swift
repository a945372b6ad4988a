/// How a LoRA file names its tensors.
public enum LoRADialect: String, Sendable, CaseIterable {
  /// Flattened paths with `lora_down`, `lora_up` and `alpha`, and LyCORIS's names beside them.
  case kohya
  /// `unet.` and `text_encoder.` paths with `lora_A` and `lora_B`.
  case diffusers
  /// diffusers before its adapters came from peft: `lora.down`, `lora_linear_layer`, processors.
  case oldDiffusers = "diffusers before 0.22"
  /// What peft itself saves, `base_model.model.` paths, with `adapter_config.json` beside it.
  case peft = "PEFT"
}

/// How an adapter states its change of a weight.
public enum LoRAForm: String, Sendable, CaseIterable {
  /// The product of two thin matrices; of two kernels for a convolution (LoCon).
  case lowRank = "LoRA"
  /// A kernel between two thin matrices.
  case tucker = "LoCon with Tucker decomposition"
  /// The elementwise product of two low-rank matrices.
  case hadamard = "LoHa"
  /// The Kronecker product of two matrices.
  case kronecker = "LoKr"
  /// The change itself, of a layer's weight, bias or both.
  case difference = "weight differences"
  /// The change itself, of a norm.
  case norm = "norm differences"
}
