import ComputeCore
import Layers

extension Module {
  /// Runs a part of this module; with checkpointing, what its gradient needs is computed again.
  ///
  /// - Parameters:
  ///   - inputs: everything recorded that `body` uses besides this module's parameters.
  ///   - isCheckpointed: whether to trade the time of one more forward pass for memory.
  ///   - body: given `inputs`, computes the result with this module.
  /// - Returns: what `body` returns.
  func run(
    _ inputs: [Tensor], isCheckpointed: Bool, _ body: @escaping ([Tensor]) -> Tensor
  ) -> Tensor {
    guard isCheckpointed, Compute.current.isRecording else { return body(inputs) }
    return checkpointed(inputs, using: trainableParameters().map(\.value), body)
  }
}
