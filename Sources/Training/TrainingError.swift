import Checkpoints
import Datasets
import Diffusion
import ImageIO
import Pipelines

/// Why a training run could not start, go on or save.
public enum TrainingError: Error, CustomStringConvertible {
  /// A model or state file.
  case checkpoint(CheckpointError)
  /// The pictures.
  case dataset(DatasetError)
  /// A picture that could not be written.
  case image(ImageError)
  /// The model's folder.
  case pipeline(PipelineError)
  /// The model's noise schedule.
  case sampler(SamplerError)
  /// The loss is no longer a number.
  case diverged(step: Int)
  /// A setting that cannot work; the text says which and what would.
  case invalidSetting(String)

  /// One line: what was found, what was expected, what to do.
  public var description: String {
    switch self {
    case .checkpoint(let error): "\(error)"
    case .dataset(let error): "\(error)"
    case .image(let error): "\(error)"
    case .pipeline(let error): "\(error)"
    case .sampler(let error): "\(error)"
    case .diverged(let step):
      "the loss of step \(step) is not a number; start again with a lower --learning-rate"
    case .invalidSetting(let text): text
    }
  }
}
