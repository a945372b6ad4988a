import Checkpoints
import ComputeCore

/// The activations of text encoders, by the names of transformers' `hidden_act`.
enum TextActivation: String, CaseIterable {
  /// x · σ(1.702 x).
  case quickGELU = "quick_gelu"
  /// The exact GELU.
  case gelu
  /// GELU by tanh.
  case geluNew = "gelu_new"
  /// GELU by tanh.
  case geluPytorchTanh = "gelu_pytorch_tanh"
  /// max(x, 0).
  case relu

  /// The activation that a config names.
  init(named name: String) throws(ConfigError) {
    guard let activation = TextActivation(rawValue: name) else {
      throw ConfigError(
        "hidden_act", found: name,
        expected: TextActivation.allCases.map(\.rawValue).joined(separator: ", "))
    }
    self = activation
  }

  /// `x` of any shape → the same shape.
  func callAsFunction(_ x: Tensor) -> Tensor {
    switch self {
    case .quickGELU: ComputeCore.quickGELU(x)
    case .gelu: ComputeCore.gelu(x)
    case .geluNew, .geluPytorchTanh: geluTanh(x)
    case .relu: ComputeCore.relu(x)
    }
  }
}
