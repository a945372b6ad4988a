import Checkpoints
import Diffusion
import Tokenizers

/// Why a pipeline cannot be loaded or a request not be met.
public enum PipelineError: Error, CustomStringConvertible {
  /// A model file.
  case checkpoint(CheckpointError)
  /// A tokenizer file.
  case tokenizer(TokenizerError)
  /// The sampler or its settings.
  case sampler(SamplerError)
  /// A folder that is no model.
  case notAModel(folder: String, reason: String)
  /// A setting of the request; the text says what was found and what would do.
  case invalidRequest(String)

  /// One line: what was found, what was expected, what to do.
  public var description: String {
    switch self {
    case .checkpoint(let error): "\(error)"
    case .tokenizer(let error): "\(error)"
    case .sampler(let error): "\(error)"
    case .notAModel(let folder, let reason):
      "\(folder) is not a model folder: \(reason); it needs unet/, text_encoder/, tokenizer/, "
        + "scheduler/ and vae/, as diffusers saves them"
    case .invalidRequest(let text): text
    }
  }
}
