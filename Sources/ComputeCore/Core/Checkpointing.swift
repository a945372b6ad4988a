/// Computes `body` without keeping what its gradient needs; the backward pass computes it again.
///
/// Trades one more forward pass of the block for the memory of its activations.
/// Source: Chen et al. 2016, "Training Deep Nets with Sublinear Memory Cost", arXiv:1604.06174.
///
/// - Parameters:
///   - inputs: the tensors `body` is given.
///   - variables: every other recorded tensor that `body` uses (the parameters of its layers).
///   - body: the block; must compute the same each time it is called.
/// - Returns: what `body` returns.
public func checkpointed(
  _ inputs: [Tensor], using variables: [Tensor], _ body: @escaping ([Tensor]) -> Tensor
) -> Tensor {
  let y = Compute.withoutRecording { body(inputs).detached() }
  return y.recorded(from: inputs + variables, operation: nil) { dy in
    let fresh = inputs.map { $0.isRecorded ? $0.asVariable() : $0 }
    let gradients = Compute.with({ $0.isRecording = true }) {
      ComputeCore.gradients(of: body(fresh), seed: dy, stoppingAt: fresh + variables)
    }
    precondition(
      gradients.areOnly(by: fresh + variables),
      "checkpointed: the block uses a recorded tensor that is neither an input nor listed")
    return (fresh + variables).map { gradients[$0] }
  }
}
