import ComputeCore

/// Where named tensors can be read from: one safetensors file or several that belong together.
public protocol TensorSource: Sendable {
  /// Where they come from, for messages.
  var path: String { get }
  /// Names of all tensors, sorted.
  var keys: [String] { get }
  /// Shape of a tensor, or `nil` when there is none of that name.
  func shape(of key: String) -> Shape?
  /// Element type of a tensor, or `nil` when there is none of that name.
  func dtype(of key: String) -> SafetensorsDType?
  /// Reads a tensor of any floating-point type as 32-bit numbers.
  func tensor(_ key: String) throws(CheckpointError) -> Tensor
}

extension SafetensorsFile: TensorSource {}
